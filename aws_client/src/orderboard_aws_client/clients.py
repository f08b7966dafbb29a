"""Opening of aiobotocore clients with low overhead and counted requests. `hot_calls` has the fastest calls.

docs/performance.md says how much each of the omitted steps costs. The event hooks are documented:
https://docs.aws.amazon.com/boto3/latest/guide/events.html
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from orderboard_aws_client.hot_calls import entries_of, speed_up
from orderboard_aws_client.lean import AioConfig, LeanFiles, get_session
from orderboard_aws_client.request_metrics import CountRequests

# Options of botocore's Config. https://docs.aws.amazon.com/botocore/latest/reference/config.html
LOW_OVERHEAD_CONFIG: Final[Mapping[str, Any]] = {
    "parameter_validation": False,  # requests are built from validated models, and AWS validates them again
    "user_agent": "orderboard",  # the default is assembled again for every request
}


@asynccontextmanager
async def open_clients(configs: Mapping[str, AioConfig], count: CountRequests) -> AsyncIterator[list[Any]]:
    """Open a client for each service, in order. Endpoint, region and credentials come from the standard environment.

    Nothing is sent yet, so a backend that is down does not matter here.
    """
    session: Any = get_session()
    session.get_component("data_loader").file_loader = LeanFiles()
    credentials = await session.get_credentials()
    async with AsyncExitStack() as stack:
        clients = []
        for service, config in configs.items():
            client = await stack.enter_async_context(
                session.create_client(service, config=config.merge(AioConfig(**LOW_OVERHEAD_CONFIG)))
            )
            count_requests(client, count)
            if credentials is not None:
                stack.callback(speed_up(client, credentials, count).close)
            clients.append(client)
        yield clients


def count_requests(client: Any, count: CountRequests) -> None:
    """Count every request that a botocore or aiobotocore client sends, retries included, and its entries."""

    def calling(params: Mapping[str, Any], event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        count(service, operation, 0, entries_of(params))

    def sending(event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        count(service, operation, 1, 0)

    client.meta.events.register("provide-client-params", calling)
    client.meta.events.register("before-send", sending)
