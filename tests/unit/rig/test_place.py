"""Parsing and placing the user's own orders."""

import asyncio
import io
import json

import pytest
from orderboard.cli.place import summarize
from orderboard.orders.client import Accepted, Answer, OrderClient, Refused, Unavailable
from orderboard.orders.place import MAX_LINE_BYTES, BadLine, Line, Result, bounded_lines, in_thread, parse, place
from rich.console import Console

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
    """A line that is not a JSON object is named with its number, empty lines counted; other lines are not affected."""
    lines = [b"\n", b"nonsense\n", ORDER, b"[1]\n", b'"\xff"\n', b"[" * 100_000 + b"\n", ORDER]

    assert [number for number, _ in _reasons(*lines)] == [2, 4, 5, 6]
    assert "not JSON" in _reasons(*lines)[0][1]
    assert "write an object" in _reasons(*lines)[1][1]
    assert len(_keys(*lines)) == 2


@pytest.mark.parametrize("key", ['""', "7", '"\\u2615"', '"a\\nb"', json.dumps("x" * 256)])
def test_a_key_must_be_usable_as_a_header(key: str) -> None:
    """A key that no header can carry is refused here, with what a key may be."""
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
    """Of a line that is too long only the start is kept; it is refused, and the next one is read."""
    stream = io.BytesIO(b"x" * (3 * MAX_LINE_BYTES) + b"\n" + ORDER)

    bad, good = parse(bounded_lines(stream))

    assert isinstance(bad, BadLine)
    assert "longer than" in bad.reason
    assert isinstance(good, Line)
    assert good.number == 2


class FakeClient(OrderClient):
    """Has an answer for each key, knows which keys are recorded, and counts concurrent requests."""

    def __init__(self, answers: dict[str, Answer], recorded: str = "") -> None:
        self.answers = answers
        self.recorded = recorded
        self.under_way = 0
        self.most_under_way = 0

    async def is_recorded(self, idempotency_key: str) -> bool:
        """Return whether it is the one recorded key."""
        return idempotency_key == self.recorded

    async def place(self, order: object, *, idempotency_key: str) -> Answer:
        """Return the key's answer after giving up control once."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        return self.answers.get(idempotency_key, Accepted("id", 100, 0))


async def test_every_line_gets_its_own_result() -> None:
    """Accepted, already placed, refused, unavailable and bad lines each have a result with their line number."""
    answers: dict[str, Answer] = {"no": Refused(422, "not on the menu"), "down": Unavailable("503: busy", 7)}
    keys = ("yes", "no", None, "down", "again")
    lines = [b"?" if key is None else b'{"idempotency_key": "%s"}' % key.encode() for key in keys]
    results: list[Result] = []

    await place(FakeClient(answers, recorded="again"), in_thread(parse(lines)), results.append, at_once=4)

    texts = {result.number: str(result) for result in results}
    assert texts.pop(3).startswith("line 3: not JSON")
    assert texts == {
        1: "line 1: id",
        2: "line 2: refused (422): not on the menu",
        4: "line 4: 503: busy; gave up after 7 retries",
        5: "line 5: id (already placed)",
    }
    documents = {result.number: json.loads(json.dumps(result.document())) for result in results}
    assert [number for number, document in sorted(documents.items()) if document["accepted"]] == [1, 5]
    assert (documents[1]["already_placed"], documents[5]["already_placed"]) == (False, True)


def test_the_summary_names_the_way_to_order_again() -> None:
    """Lines that were placed before are counted, with the option that makes them new orders."""
    again, output = Result(1, Accepted("id-1", 100, 0), repeated=True), io.StringIO()

    summarize([again, Result(2, Accepted("id-2", 100, 0))], Console(file=output, width=100))
    repeated = output.getvalue()
    summarize([Result(2, Accepted("id-2", 100, 0))], Console(file=output, width=100))

    assert "1 accepted, 1 already placed" in repeated
    assert "To order it again: --batch NAME" in repeated
    assert output.getvalue().count("--batch") == 1


async def test_no_more_at_once_than_asked() -> None:
    """However many lines there are, only at_once requests run at the same time."""
    client = FakeClient({})
    results: list[Result] = []

    await place(client, in_thread(parse([ORDER] * 50)), results.append, at_once=3)

    assert len(results) == 50
    assert client.most_under_way <= 3
