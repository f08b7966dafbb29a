"""The orders that order-api has accepted, read from its log as it grows."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_EVENT: Final = b'"order.accepted"'
_READ_AT_ONCE_BYTES: Final = 8 << 20


@dataclass
class AcceptedOrders:
    """One log file. Its end may be a line that is not whole yet; that is read the next time."""

    path: Path
    _read_bytes: int = field(default=0, init=False)

    def new(self) -> list[str]:
        """The ids of those that were written since the last time; one that was sent twice comes twice."""
        try:
            with self.path.open("rb") as log:
                log.seek(self._read_bytes)
                text = log.read(_READ_AT_ONCE_BYTES)
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        return [order_id for line in whole.splitlines() if _EVENT in line and (order_id := _order_id(line))]


def _order_id(line: bytes) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    order_id = entry.get("order_id") if isinstance(entry, dict) else None
    return order_id if isinstance(order_id, str) else None
