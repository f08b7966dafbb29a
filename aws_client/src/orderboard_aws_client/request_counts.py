"""Counting what a service asks of AWS, at the client itself, so that nothing is left out: each attempt, each entry."""

from collections.abc import Callable, Mapping
from typing import Any, Final

# Where a call of the batch operations has its messages, events or statements.
_ENTRIES: Final = ("Entries", "PublishBatchRequestEntries", "Statements")

# service, operation, requests, entries
CountRequests = Callable[[str, str, int, int], None]


def count_requests(client: Any, count: CountRequests) -> None:
    """Tell `count` of every request that this botocore or aiobotocore client sends, retries too, and of its entries.

    The events are documented: https://docs.aws.amazon.com/boto3/latest/guide/events.html
    """

    def calling(params: Mapping[str, Any], event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        count(service, operation, 0, next((len(params[name]) for name in _ENTRIES if name in params), 1))

    def sending(event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        count(service, operation, 1, 0)

    client.meta.events.register("provide-client-params", calling)
    client.meta.events.register("before-send", sending)
