"""Writes rows that follow from facts to a table that lacks them. Every write is conditional, so it can be repeated.

A final row never changes; a tombstone is replaced by the final row of its order.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from orderboard_aws_client.order_codec import to_item
from orderboard_contracts.record import OrderRecord

from orderboard.ledger.evidence import final_rows_of
from orderboard.system.target import Target

_TOMBSTONE: Final = "cancellation_pending"
_READ_AT_ONCE: Final = 100
_WRITERS: Final = 8


@dataclass(frozen=True)
class Written:
    """The number of final rows and of tombstones that were missing."""

    rows: int = 0
    tombstones: int = 0


def write_rows(
    target: Target, table: str, rows: Sequence[OrderRecord], say: Callable[[str], None] = lambda _: None
) -> Written:
    """Write the rows that the table lacks."""
    written = Written()
    with ThreadPoolExecutor(_WRITERS) as threads:
        for at in range(0, len(rows), _READ_AT_ONCE):
            some = rows[at : at + _READ_AT_ONCE]
            final = final_rows_of(target, [row.order_id for row in some], table)
            missing = [row for row in some if row.order_id not in final]
            put = threads.map(_put(target, table), missing)
            done = [row for row, is_new in zip(missing, put, strict=True) if is_new]
            tombstones = sum(row.status == _TOMBSTONE for row in done)
            written = Written(written.rows + len(done) - tombstones, written.tombstones + tombstones)
            say(f"{written.rows:,} rows, {written.tombstones:,} tombstones")
    return written


def _put(target: Target, table: str) -> Callable[[OrderRecord], bool]:
    def put(row: OrderRecord) -> bool:
        try:
            target.dynamodb.put_item(TableName=table, Item=to_item(row), **condition(row))
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    return put


def condition(row: OrderRecord) -> dict[str, Any]:
    """Return the condition of a PutItem: no row of the order, or only its tombstone."""
    if row.status == _TOMBSTONE:
        return {"ConditionExpression": "attribute_not_exists(order_id)"}
    return {
        "ConditionExpression": "attribute_not_exists(order_id) OR #status = :pending",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":pending": {"S": _TOMBSTONE}},
    }
