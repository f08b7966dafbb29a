"""Reads of the orders table, which the worker writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from orderboard_aws_client.errors import AWS_ERRORS, error_code, summary
from orderboard_aws_client.order_codec import from_item
from orderboard_contracts.record import FINAL_STATUSES, OrderRecord
from orderboard_contracts.tracing import Tracing

from order_api.cursor import InvalidCursorError, Position
from order_api.trace import current_trace

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

CUSTOMER_INDEX: Final = "by-customer"


class QueryUnavailableError(Exception):
    """DynamoDB did not respond, or not in time: try again later."""


@dataclass(frozen=True)
class Page:
    """One page of orders, and the position after which the next page begins (None on the last page)."""

    records: tuple[OrderRecord, ...]
    end: Position | None


@dataclass(frozen=True)
class OrderQueries:
    """Queries of orders, each with a deadline."""

    client: "DynamoDBClient"
    table: str
    deadline_s: float
    tracing: Tracing | None = None

    async def find(self, order_id: str) -> OrderRecord | None:
        """Return an order in its final state, or None: no row, or only the tombstone of a cancellation.

        The read is consistent: an order that was found once is found again.
        """
        async with self._call("GetItem"):
            response = await self.client.get_item(
                TableName=self.table, Key={"order_id": {"S": order_id}}, ConsistentRead=True
            )
        if "Item" not in response:
            return None
        record = from_item(response["Item"])
        return record if record.status in FINAL_STATUSES else None

    async def of_customer(self, customer_id: str, *, limit: int, after: Position | None) -> Page:
        """Return a page of a customer's orders, newest first; raise InvalidCursorError if DynamoDB rejects after."""
        request: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": CUSTOMER_INDEX,
            "KeyConditionExpression": "customer_id = :customer_id",
            "ExpressionAttributeValues": {":customer_id": {"S": customer_id}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = {name: {"S": value} for name, value in after.model_dump().items()}
        async with self._call("Query"):
            try:
                response = await self.client.query(**request)
            except ClientError as exc:
                if after is not None and error_code(exc) == "ValidationException":
                    raise InvalidCursorError("no such position in the index") from exc
                raise
        end = response.get("LastEvaluatedKey")
        return Page(
            records=tuple(map(from_item, response["Items"])),
            end=Position(**{name: value["S"] for name, value in end.items()}) if end else None,
        )

    @asynccontextmanager
    async def _call(self, operation: str) -> AsyncIterator[None]:
        """Bound a call's time, and make its span if traces are on."""
        try:
            async with asyncio.timeout(self.deadline_s):
                if self.tracing is None:
                    yield
                    return
                span = self.tracing.dynamodb(operation, self.table, parent=current_trace.get(None))
                with self.tracing.current(span):
                    yield
        except TimeoutError as exc:
            raise QueryUnavailableError(f"no response within {self.deadline_s:g} s") from exc
        except AWS_ERRORS as exc:
            raise QueryUnavailableError(summary(exc)) from exc
