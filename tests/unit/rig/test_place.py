"""Reading and placing the user's own orders."""

import asyncio
import io
import json

from orderboard.orders.client import Accepted, Answer, OrderClient, Refused, Unavailable
from orderboard.orders.place import MAX_LINE_BYTES, BadLine, Line, Result, bounded_lines, in_thread, parse, place

ORDER = b'{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 1}]}\n'


def _reasons(*lines: bytes) -> list[tuple[int, str]]:
    return [(each.number, each.reason) for each in parse(lines) if isinstance(each, BadLine)]


def _keys(*lines: bytes, batch: str = "") -> list[str]:
    return [each.idempotency_key for each in parse(lines, batch=batch) if isinstance(each, Line)]


def test_a_line_is_the_body_of_a_request() -> None:
    """A line's object goes to the API as it is, but for its idempotency_key."""
    (line,) = parse([b'{"customer_id": "ada", "surprise": true, "idempotency_key": "mine"}'])

    assert line == Line(1, {"customer_id": "ada", "surprise": True}, "mine")


def test_bad_lines_are_named_by_number_and_the_others_pass() -> None:
    """Whatever is no JSON object is named with its line number, empty lines counted, and harms no other line."""
    lines = [b"\n", b"nonsense\n", ORDER, b"[1]\n", b'"\xff"\n', b"[" * 100_000 + b"\n", ORDER]

    assert [number for number, _ in _reasons(*lines)] == [2, 4, 5, 6]
    assert "not JSON" in _reasons(*lines)[0][1]
    assert "write an object" in _reasons(*lines)[1][1]
    assert len(_keys(*lines)) == 2


def test_a_key_must_be_usable_as_a_header() -> None:
    """A key that no header can carry is refused here, with what a key may be."""
    for key in ('""', "7", '"\\u2615"', '"a\\nb"', json.dumps("x" * 256)):
        ((number, reason),) = _reasons(b'{"idempotency_key": %s}' % key.encode())
        assert number == 1
        assert "printable ASCII" in reason


def test_derived_keys_are_the_same_every_time() -> None:
    """Placing a batch again uses the same keys, whatever the order of the fields."""
    shuffled = b'{"lines": [{"quantity": 1, "sku": "tea"}], "customer_id": "ada"}'

    assert _keys(ORDER) == _keys(shuffled)


def test_derived_keys_differ_by_line_and_batch() -> None:
    """The same order on two lines, or in two batches, is two orders."""
    first, second = _keys(ORDER, ORDER)
    (other_batch,) = _keys(ORDER, batch="tuesday")

    assert len({first, second, other_batch}) == 3


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    """Of a line that is too long only the start is kept, it is refused, and the next one is read."""
    stream = io.BytesIO(b"x" * (3 * MAX_LINE_BYTES) + b"\n" + ORDER)

    bad, good = parse(bounded_lines(stream))

    assert isinstance(bad, BadLine)
    assert "longer than" in bad.reason
    assert isinstance(good, Line)
    assert good.number == 2


class FakeClient(OrderClient):
    """Answers as it is told, and notes how many it was asked at once."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.under_way = 0
        self.most_under_way = 0

    async def place(self, order: object, *, idempotency_key: str) -> Answer:
        """Answer as told, a little later."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        return self.answers.get(idempotency_key, Accepted("id", 100, 0))


async def test_every_line_gets_its_own_answer() -> None:
    """Accepted, refused, unavailable and bad lines are each told with their line number."""
    client = FakeClient({"no": Refused(422, "not on the menu"), "down": Unavailable("503: busy", 7)})
    lines = [b'{"idempotency_key": "yes"}', b'{"idempotency_key": "no"}', b"?", b'{"idempotency_key": "down"}']
    results: list[Result] = []

    await place(client, in_thread(parse(lines)), results.append, at_once=4)

    told = {result.number: str(result) for result in results}
    assert told[1] == "line 1: id"
    assert told[2] == "line 2: refused (422): not on the menu"
    assert told[3].startswith("line 3: not JSON")
    assert told[4] == "line 4: 503: busy"
    assert [result.number for result in results if result.accepted] == [1]
    assert all(json.dumps(result.document()) for result in results)


async def test_no_more_at_once_than_asked() -> None:
    """However many lines there are, only so many requests are under way."""
    client = FakeClient({})
    results: list[Result] = []

    await place(client, in_thread(parse([ORDER] * 50)), results.append, at_once=3)

    assert len(results) == 50
    assert client.most_under_way <= 3
