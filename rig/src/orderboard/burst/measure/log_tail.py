"""The services' logs, followed while they are written."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_ORDER_ID: Final = b'"order_id":"'
_ORDER_ID_BYTES: Final = 36


class LogTail:
    """The lines of the services' logs about orders, each once, as they are written."""

    def __init__(self, logs_dir: Path) -> None:
        self._logs_dir = logs_dir
        self._read: dict[Path, int] = {}

    def lines(self, in_sample: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
        """Yield the new lines, parsed. in_sample: gets an order's id; other lines are not parsed."""
        for path in sorted((*self._logs_dir.glob("order-api*.log"), *self._logs_dir.glob("worker*.log"))):
            for line in self._new(path):
                at = line.find(_ORDER_ID) + len(_ORDER_ID)
                order_id = line[at : at + _ORDER_ID_BYTES].decode(errors="replace")
                with suppress(ValueError):  # not a line of our services
                    if at >= len(_ORDER_ID) and in_sample(order_id):
                        yield json.loads(line)

    def _new(self, path: Path) -> list[bytes]:
        try:
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                written = file.read()
        except OSError:
            return []
        whole = written.rfind(b"\n") + 1  # the last line may still be being written
        self._read[path] = self._read.get(path, 0) + whole
        return written[:whole].splitlines()
