"""A line for every order: NDJSON and CSV, written one after another."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from orderboard_contracts.identity import order_id_for

from orderboard.burst.measure.orders import OrderRecord
from orderboard.ledger.ledger import Ledger

COLUMNS: Final = (
    *("stream", "kind", "key", "order_id", "answer", "reason", "ended"),
    *("intended_s", "sent_s", "answered_s", "finished_s", "accept_ms", "end_to_end_ms"),
)


def write_ndjson(records: Iterator[OrderRecord], ledger: Ledger, path: Path) -> None:
    """Write a JSON object for each order; what is not known is null."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _rows(records, ledger))


def write_csv(records: Iterator[OrderRecord], ledger: Ledger, path: Path) -> None:
    """Write a line for each order; what is not known is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_rows(records, ledger))


def _rows(records: Iterator[OrderRecord], ledger: Ledger) -> Iterator[Mapping[str, object]]:
    endings = {entry.order_id: entry.ended for entry in ledger.entries}
    for record in records:
        order_id = record.order_ids[0] if record.order_ids else order_id_for(record.key)  # placed without an answer
        yield {
            "stream": record.stream,
            "kind": record.kind,
            "key": record.key,
            "order_id": order_id if record.order_ids or order_id in endings else None,
            "answer": record.answer,
            "reason": record.refusals[0] if record.refusals else None,
            "ended": endings.get(order_id),
            "intended_s": round(record.intended_s, 6),
            "sent_s": round(record.sent_s, 6),
            "answered_s": round(record.answered_s, 6),
            "finished_s": _rounded(record.finished_s, 6),
            "accept_ms": _rounded(record.accept_ms, 3),
            "end_to_end_ms": _rounded(record.end_to_end_ms, 3),
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
