"""The user's own orders: one JSON object a line, parsed and placed.

A line is the body of POST /orders, and may have `idempotency_key` besides. Without it, the key derives from the batch's
name, the line's number and its content, so that placing a file again, after an interruption say, orders nothing twice.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from orderboard.orders.client import Accepted, Answer, OrderClient, Refused, Unavailable

MAX_LINE_BYTES: Final = 1 << 20
_MAX_KEY_CHARACTERS: Final = 255


class _BadLineError(Exception):
    """The line is not an order; the message says why."""


@dataclass(frozen=True)
class Line:
    """An order to place."""

    number: int
    order: dict[str, object]
    idempotency_key: str


@dataclass(frozen=True)
class BadLine:
    """A line that is not an order; nothing was sent for it."""

    number: int
    reason: str


@dataclass(frozen=True)
class Result:
    """The result of one line. repeated: the order was recorded before this line was sent."""

    number: int
    answer: Answer | BadLine
    repeated: bool = False

    @property
    def accepted(self) -> bool:
        """True if the order is on its way, or was recorded before."""
        return isinstance(self.answer, Accepted)

    def document(self) -> dict[str, object]:
        """The result as a JSON object."""
        match self.answer:
            case Accepted(order_id=order_id, total_cents=total_cents, retries=retries):
                order: dict[str, object] = {"order_id": order_id, "total_cents": total_cents, "retries": retries}
                return {"line": self.number, "accepted": True, "already_placed": self.repeated} | order
            case Refused(status=status, reason=reason):
                return {"line": self.number, "accepted": False, "status": status, "reason": reason}
            case failed:
                return {"line": self.number, "accepted": False, "reason": failed.reason}

    def __str__(self) -> str:
        match self.answer:
            case Accepted(order_id=order_id):
                return f"line {self.number}: {order_id}{' (already placed)' if self.repeated else ''}"
            case Refused(status=status, reason=reason):
                return f"line {self.number}: refused ({status}): {reason}"
            case Unavailable(reason=reason, retries=retries):
                return f"line {self.number}: {reason}; gave up after {retries} retries"
            case failed:
                return f"line {self.number}: {failed.reason}"


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream, each cut off just above MAX_LINE_BYTES, so that no line fills the memory."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES + 1)


def parse(lines: Iterable[bytes], *, batch: str = "") -> Iterator[Line | BadLine]:
    """Parse JSON Lines, without empty lines. Only the line is validated here; the API validates the order."""
    for number, raw in enumerate(lines, start=1):
        if raw.strip():
            yield _parse_line(number, raw, batch)


async def place(
    client: OrderClient, lines: AsyncIterator[Line | BadLine], on_result: Callable[[Result], None], *, at_once: int
) -> None:
    """Place every line, at_once of them concurrently, and pass on each result as it comes."""
    free = asyncio.Semaphore(at_once)

    async def place_one(line: Line) -> None:
        try:
            repeated = await client.is_recorded(line.idempotency_key)
            answer = await client.place(line.order, idempotency_key=line.idempotency_key)
            on_result(Result(line.number, answer, repeated))
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        async for line in lines:
            if isinstance(line, BadLine):
                on_result(Result(line.number, line))
                continue
            await free.acquire()
            group.create_task(place_one(line))


async def in_thread(lines: Iterator[Line | BadLine]) -> AsyncIterator[Line | BadLine]:
    """The same lines, read in a thread, because reading standard input may block."""
    while (line := await asyncio.to_thread(next, lines, None)) is not None:
        yield line


def _parse_line(number: int, raw: bytes, batch: str) -> Line | BadLine:
    try:
        order = _read(raw)
        key = order.pop("idempotency_key", None)
        return Line(number, order, _derived_key(batch, number, order) if key is None else _checked_key(key))
    except _BadLineError as exc:
        return BadLine(number, str(exc))


def _read(raw: bytes) -> dict[str, object]:
    if len(raw) > MAX_LINE_BYTES:
        raise _BadLineError(f"longer than {MAX_LINE_BYTES} bytes; one order is far shorter")
    try:
        order = json.loads(raw)
        json.dumps(order)  # what can be parsed may still be nested too deep to be serialized
    except UnicodeDecodeError as exc:
        raise _BadLineError("not UTF-8") from exc
    except json.JSONDecodeError as exc:
        raise _BadLineError(f"not JSON: {exc.msg} at column {exc.colno}") from exc
    except RecursionError as exc:
        raise _BadLineError("nested too deep") from exc
    if not isinstance(order, dict):
        raise _BadLineError('not an order; write an object such as {"customer_id": "ada", "lines": [...]}')
    return order


def _checked_key(key: object) -> str:
    if isinstance(key, str) and 0 < len(key) <= _MAX_KEY_CHARACTERS and key.isascii() and key.isprintable():
        return key
    raise _BadLineError(f"idempotency_key must be 1 to {_MAX_KEY_CHARACTERS} printable ASCII characters")


def _derived_key(batch: str, number: int, order: dict[str, object]) -> str:
    content = json.dumps([batch, number, order], sort_keys=True, separators=(",", ":"))
    return f"place-{hashlib.sha256(content.encode()).hexdigest()[:40]}"
