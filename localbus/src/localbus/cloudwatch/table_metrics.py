"""The metrics of DynamoDB: of the requests that name one table, counted around the service's actions.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from localbus.cloudwatch.counted_metrics import Data, published
from localbus.cloudwatch.metric_query import Owner
from localbus.errors import AwsError
from localbus.metric_counts import MetricCounts
from localbus.protocol.service import Action, Caller, Service
from localbus.protocol.service_model import Params

_COUNTED: Final = ("DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
_SEARCHES: Final = ("Query", "Scan")


# Account, region, table and operation, which is empty for what counts for the table as a whole.
_Requests = tuple[str, str, str, str]


class TableMetrics:
    """The source of the metrics of all tables."""

    def __init__(self) -> None:
        self._counts: dict[_Requests, MetricCounts] = {}

    def __call__(self, _end: float) -> Data:
        """Yield the data points of the minute that has ended."""
        for (account, region, table, operation), counts in self._counts.items():
            owner = Owner(account, region)
            of_operation = (("Operation", operation),) if operation else ()
            yield from published(owner, "AWS/DynamoDB", counts, *of_operation, ("TableName", table))

    def counted(self, service: Service) -> Service:
        """Return the service with its requests counted."""
        counted = {name: self._action(name, service.actions[name]) for name in _COUNTED}
        return replace(service, actions={**service.actions, **counted})

    def _action(self, operation: str, action: Action) -> Action:
        def run(params: Params, caller: Caller) -> Params:
            began_s = time.perf_counter()
            try:
                answer = action(params, caller)
            except AwsError as exc:
                if exc.code == "ConditionalCheckFailedException":
                    self._of(params, caller).add("ConditionalCheckFailedRequests")
                raise
            assert isinstance(answer, dict)  # noqa: S101 (none of these actions waits)
            counts = self._of(params, caller, operation)
            counts.record("SuccessfulRequestLatency", (time.perf_counter() - began_s) * 1000)
            if operation in _SEARCHES:
                counts.record("ReturnedItemCount", answer["Count"])
            return answer

        return run

    def _of(self, params: Params, caller: Caller, operation: str = "") -> MetricCounts:
        requests = (caller.account, caller.region, params["TableName"].rpartition("/")[2], operation)
        found = self._counts.get(requests)
        if found is None:
            found = self._counts[requests] = MetricCounts()
        return found
