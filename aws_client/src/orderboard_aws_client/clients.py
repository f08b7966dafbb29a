"""Opening of aiobotocore clients with low overhead and counted requests.

docs/performance.md says how much each of the omitted steps costs. The event hooks are documented:
https://docs.aws.amazon.com/boto3/latest/guide/events.html
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final
from urllib.parse import urlencode

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

# Options of botocore's Config. https://docs.aws.amazon.com/botocore/latest/reference/config.html
LOW_OVERHEAD_CONFIG: Final[Mapping[str, Any]] = {
    "parameter_validation": False,  # requests are built from validated models, and AWS validates them again
    "user_agent": "orderboard",  # the default is assembled again for every request
}
# The parameter of a batch operation that holds its messages, events or statements.
_ENTRIES: Final = ("Entries", "PublishBatchRequestEntries", "Statements")

# Called with service, operation, number of requests and number of entries.
CountRequests = Callable[[str, str, int, int], None]


@asynccontextmanager
async def open_clients(configs: Mapping[str, AioConfig], count: CountRequests) -> AsyncIterator[list[Any]]:
    """Open a client for each service, in order. Endpoint, region and credentials come from the standard environment.

    Nothing is sent yet, so a backend that is down does not matter here.
    """
    session: Any = get_session()
    async with AsyncExitStack() as stack:
        clients = []
        for service, config in configs.items():
            client = await stack.enter_async_context(
                session.create_client(service, config=config.merge(AioConfig(**LOW_OVERHEAD_CONFIG)))
            )
            count_requests(client, count)
            if service == "sns":
                encode_forms_once(client)
            clients.append(client)
        yield clients


def count_requests(client: Any, count: CountRequests) -> None:
    """Count every request that a botocore or aiobotocore client sends, retries included, and its entries."""

    def calling(params: Mapping[str, Any], event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        count(service, operation, 0, next((len(params[name]) for name in _ENTRIES if name in params), 1))

    def sending(event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        count(service, operation, 1, 0)

    client.meta.events.register("provide-client-params", calling)
    client.meta.events.register("before-send", sending)


def encode_forms_once(client: Any) -> None:
    """Encode the forms of a query-protocol client, such as SNS, before they are signed.

    Otherwise botocore encodes each form twice, to sign it and to send it: most of the cost of a PublishBatch.
    """

    def encode(params: dict[str, Any], **_: Any) -> None:
        if isinstance(params["body"], dict):
            params["body"] = urlencode(params["body"], doseq=True).encode()

    client.meta.events.register("before-call", encode)
