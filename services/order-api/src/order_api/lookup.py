"""Reading orders from the table that the worker writes. Accepting orders needs nothing of this."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError
from orderboard_contracts.record import FINAL_STATUSES, OrderRecord, parse_record

from order_api.aws import AWS_ERRORS, DynamoDbClient, error_code, reason
from order_api.cursor import BadCursorError, Position

CUSTOMER_INDEX: Final = "by-customer"
_deserialize: Final = TypeDeserializer().deserialize


class LookupUnavailableError(Exception):
    """DynamoDB did not answer, or not in time: ask again later."""


@dataclass(frozen=True)
class Page:
    """Some orders, and where the next page begins (None: there is none)."""

    records: tuple[OrderRecord, ...]
    end: Position | None


class Lookup:
    """Reads orders, each call within a deadline."""

    def __init__(self, client: DynamoDbClient, *, table: str, deadline_s: float) -> None:
        self._client = client
        self._table = table
        self._deadline_s = deadline_s

    async def find(self, order_id: str) -> OrderRecord | None:
        """The order in its final state, or None: never placed, not recorded yet, or only its cancellation is.

        The read is consistent: an order that was seen once is not missed the next time.
        """
        async with self._answered():
            response = await self._client.get_item(
                TableName=self._table, Key={"order_id": {"S": order_id}}, ConsistentRead=True
            )
        if "Item" not in response:
            return None
        record = _record(response["Item"])
        return record if record.status in FINAL_STATUSES else None

    async def of_customer(self, customer_id: str, *, limit: int, after: Position | None) -> Page:
        """A page of the customer's orders, newest first. Raises BadCursorError where DynamoDB refuses the position."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": CUSTOMER_INDEX,
            "KeyConditionExpression": "customer_id = :customer_id",
            "ExpressionAttributeValues": {":customer_id": {"S": customer_id}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after is not None:
            arguments["ExclusiveStartKey"] = {name: {"S": value} for name, value in after.model_dump().items()}
        async with self._answered():
            try:
                response = await self._client.query(**arguments)
            except ClientError as exc:
                if after is not None and error_code(exc) == "ValidationException":
                    raise BadCursorError("DynamoDB knows no such position") from exc
                raise
        end = response.get("LastEvaluatedKey")
        return Page(
            records=tuple(_record(item) for item in response["Items"]),
            end=None if not end else Position(**{name: value["S"] for name, value in end.items()}),
        )

    @asynccontextmanager
    async def _answered(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline_s):
                yield
        except TimeoutError as exc:
            raise LookupUnavailableError(f"no answer within {self._deadline_s:g} s") from exc
        except AWS_ERRORS as exc:
            raise LookupUnavailableError(reason(exc)) from exc


def _record(item: Mapping[str, Any]) -> OrderRecord:
    return parse_record({name: _deserialize(value) for name, value in item.items()})
