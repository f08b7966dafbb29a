"""Latency by step: each step's boundaries, whole orders around a percentile, and the sample that is followed."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from orderboard.burst.measure import step_reader
from orderboard.burst.measure.log_tail import LogTail
from orderboard.burst.measure.orders import OrderRecord
from orderboard.burst.measure.step_reader import StepReader
from orderboard.burst.measure.steps import Source, Trace, steps_of
from orderboard.burst.model import Steps
from orderboard.burst.report.tables import show_steps
from orderboard.errors import RigError
from orderboard.ledger.ledger import Outcome
from orderboard.system.localbus import JournalEntry
from rich.console import Console

START = 1_000.0  # second 0, in seconds since 1970
ID = "00000000-0000-5000-8000-{:012}"


def order(number: int = 0, *, intended_s: float = 0.0, finished_s: float | None = 1.0) -> OrderRecord:
    """An order that was answered at once."""
    ids = (ID.format(number),)
    return OrderRecord("load", "normal", "key", "acknowledged", intended_s, intended_s, intended_s, finished_s, ids, ())


def trace(published: float, arrived: float, received: float, event: float) -> Trace:
    """The usual way of an order, in seconds after the start."""
    return Trace(
        published={"sns": START + published},
        arrived={"sqs": START + arrived},
        received={("sqs", 1): START + received},
        handled=("sqs", 1),
        event_at=START + event,
    )


def steps(traces: dict[int, Trace], orders: list[OrderRecord] | None = None, *, source: Source = "journal") -> Steps:
    """The steps of these orders."""
    orders = [order(number) for number in traces] if orders is None else orders
    by_id = {ID.format(number): each for number, each in traces.items()}
    found = steps_of(orders, by_id, [], source=source, started_at=START)
    assert found is not None
    return found


def of_all(found: Steps) -> dict[str, float]:
    """The mean of each step over all orders."""
    return dict(zip((each.name for each in found.steps), found.splits[0].steps_ms, strict=True))


def test_the_steps_of_an_order_add_up_to_its_latency() -> None:
    """From the intended time to the finish, each step from the end of the one before."""
    found = steps({0: trace(0.3, 0.4, 0.7, 0.9)}, [order(intended_s=0.1)])

    assert of_all(found) == {"accept": 200, "sns_to_queue": 100, "waiting": 300, "working": 200, "outcome": 100}
    assert found.splits[0].end_to_end_ms == 900
    assert (found.sampled, found.measured) == (1, 1)


def test_an_order_that_is_received_again_waits_until_the_receive_that_finished_it() -> None:
    """A worker that died had the message in between, and a duplicate came after: neither ends the wait."""
    again = trace(0.1, 0.2, 0.3, 0.9)
    again.received |= {("sqs", 2): START + 0.8, ("copy", 1): START + 0.85}
    again.arrived["copy"] = START + 0.5
    again.handled = ("sqs", 2)

    assert of_all(steps({0: again}))["waiting"] == 600


def test_without_a_log_line_the_last_receive_before_the_outcome_counts() -> None:
    """A worker was killed after it had published; the message came again afterwards."""
    killed = trace(0.1, 0.2, 0.3, 0.6)
    killed.received[("sqs", 2)] = START + 0.9
    killed.handled = None

    assert of_all(steps({0: killed})) == {
        "accept": 100, "sns_to_queue": 100, "waiting": 100, "working": 300, "outcome": 400
    }  # fmt: skip


def test_no_step_is_negative() -> None:
    """SQS's times are in whole milliseconds, so an order may finish just before its event was published."""
    found = steps({0: trace(0.1, 0.2, 0.3, 1.0004)})

    assert of_all(found)["outcome"] == 0
    assert sum(of_all(found).values()) == pytest.approx(1000)


def test_an_order_of_which_a_step_is_unknown_is_counted_and_left_out() -> None:
    """Of three finished orders, one was never seen to be received, and one is not in the sample."""
    unknown = Trace(published={"sns": START})

    found = steps({0: trace(0.1, 0.2, 0.3, 0.4), 1: unknown}, [order(0), order(1), order(2), order(3, finished_s=None)])

    assert (found.sampled, found.measured) == (2, 1)


def test_a_bar_is_the_mean_of_the_orders_around_its_percentile() -> None:
    """Of 200 orders that finish after 1 to 200 s, p50 has those of 99 to 102 s, and p99 those of 198 and 199 s."""
    orders = [order(number, finished_s=number + 1.0) for number in range(200)]

    found = steps({number: trace(0.1, 0.2, 0.3, 0.4) for number in range(200)}, orders)

    assert [(each.percentile, each.orders, each.end_to_end_ms) for each in found.splits] == [
        (None, 200, 100_500), (50, 4, 100_500), (90, 4, 180_500), (99, 2, 198_500)
    ]  # fmt: skip
    assert all(sum(each.steps_ms) == pytest.approx(each.end_to_end_ms) for each in found.splits)


def test_without_a_journal_the_services_own_times_count() -> None:
    """SNS, the queue and the worker's buffer are one step, and the text says so."""
    found = steps({0: Trace(accepted_at=START + 0.1, recorded_at=START + 0.7)}, source="rows")

    assert of_all(found) == {"accept": 100, "queue": 600, "outcome": 300}
    assert "not known by itself" in found.text


def test_the_terminal_shows_the_steps_and_the_split_of_the_slowest(capsys: pytest.CaptureFixture[str]) -> None:
    """It fits 80 columns, and says how many orders are left out."""
    found = steps({0: trace(0.1, 0.2, 0.3, 0.4), 1: Trace()})

    show_steps(found, Console(width=80))

    lines = capsys.readouterr().out.splitlines()
    assert "waiting 1 100.0 100.0 100.0 100.0 100.0" in [" ".join(line.split()) for line in lines]
    assert "end to end 1,000 1,000" in [" ".join(line.split()) for line in lines]
    assert "2 finished orders were followed, 1 left out: not every step is known." in " ".join(lines)


def test_nothing_is_shown_of_orders_whose_steps_are_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """The summary has the count all the same."""
    found = steps({0: Trace()})

    show_steps(found, Console(width=80))

    assert (found.sampled, found.measured, found.steps, capsys.readouterr().out) == (1, 0, (), "")


class Engine:
    """A journal in a list, which fails while it is away."""

    def __init__(self) -> None:
        self.journal: list[JournalEntry] = []
        self.away = False

    def note(self, at: float, event: str, message_id: str, detail: Any = None, real_at: float | None = None) -> None:
        """Add an entry."""
        self.journal.append(JournalEntry(len(self.journal) + 1, at, event, "arn", message_id, detail, real_at))

    def entries(
        self, *, last: int | None = None, message_id: str = "", event: str = "", after: int = 0
    ) -> list[JournalEntry]:
        """Answer as localbus does."""
        if self.away:
            raise RigError("away")
        ids = message_id.split(",") if message_id else [each.message_id for each in self.journal]
        events = event.split(",") if event else [each.event for each in self.journal]
        found = [each for each in self.journal if each.message_id in ids and each.event in events]
        return [each for each in found if each.number > after][-last if last else 0 :]


class Services:
    """The parts of a system that are read."""

    def __init__(self, logs_dir: Path) -> None:
        self.target = self
        self.endpoint = None
        self.options = self.services = self
        self.logs_dir = logs_dir

    def log(self, name: str, event: str, number: int, **fields: Any) -> None:
        """Write a line."""
        line = {"message": event, "order_id": ID.format(number), "timestamp": datetime.now(UTC).isoformat(), **fields}
        with (self.logs_dir / f"{name}.log").open("a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine that a StepReader finds."""
    made = Engine()
    monkeypatch.setattr(step_reader, "find", lambda _endpoint: made)
    return made


def test_an_order_is_followed_as_the_journal_grows(tmp_path: Path, engine: Engine) -> None:
    """Through the ids that it gets on its way, past a read that fails, and by the real time of a manual clock."""
    services: Any = Services(tmp_path)
    reader = StepReader(services, 1)
    services.log("order-api", "order.accepted", 0, message_id="sns")
    engine.note(5.0, "published", "sns", real_at=START + 0.1)
    engine.note(5.0, "delivered", "sns", {"message_id": "sqs"}, real_at=START + 0.2)
    reader.read()
    engine.note(5.0, "received", "sqs", 1, real_at=START + 0.3)
    engine.away = True
    reader.read()
    engine.away = False
    engine.note(5.0, "received", "other", 1)
    engine.note(5.0, "published", "bus", real_at=START + 0.6)
    services.log("worker-1", "order.completed", 0, message_id="sqs", receive_count=1)
    reader.outcome(Outcome("event", ID.format(0), "completed", "bus"), 0.0)

    found = reader.steps([order()], START)

    assert found is not None
    assert of_all(found) == {"accept": 100, "sns_to_queue": 100, "waiting": 100, "working": 300, "outcome": 400}


def test_an_entry_that_is_much_older_than_its_log_line_is_found(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy order-api logs seconds later; the message is looked for once more, farther back."""
    now = START
    monkeypatch.setattr("orderboard.burst.measure.step_reader.time.time", lambda: now)
    services: Any = Services(tmp_path)
    reader = StepReader(services, 1)
    services.log("order-api", "order.accepted", 1, message_id="earlier", timestamp="1970-01-01T00:16:40+00:00")
    reader.read()
    engine.note(START + 0.1, "published", "sns")
    engine.note(START + 0.2, "delivered", "sns", {"message_id": "sqs"})
    engine.note(START + 0.3, "received", "sqs", 1)
    engine.note(START + 0.6, "published", "bus")
    now = START + 1
    reader.read()
    now = START + 3
    services.log("order-api", "order.accepted", 0, message_id="sns", timestamp="1970-01-01T00:16:43+00:00")
    reader.outcome(Outcome("event", ID.format(0), "completed", "bus"), time.monotonic())
    reader.read()

    found = reader.steps([order()], START)

    assert found is not None
    assert (found.sampled, found.measured) == (1, 1)


def test_of_a_large_burst_every_so_many_orders_are_followed(tmp_path: Path, engine: Engine) -> None:
    """The sample is chosen by the order's id, and halved when more orders come than were planned."""
    services: Any = Services(tmp_path)
    reader = StepReader(services, None)
    for number in range(3_000):
        name = f"{number:08x}{ID.format(number)[8:]}"
        services.log("order-api", "order.accepted", number, message_id=f"sns-{number}", order_id=name)
    orders = [
        OrderRecord("load", "normal", "", "acknowledged", 0, 0, 0, 1.0, (f"{n:08x}{ID.format(n)[8:]}",), ())
        for n in range(3_000)
    ]

    found = reader.steps(orders, START)

    assert found is not None
    assert found.sampled == 1_500


def test_a_line_is_read_once_and_whole(tmp_path: Path) -> None:
    """A line that is still being written comes with the next read; lines of no order, and of others, never."""
    tail, log = LogTail(tmp_path), tmp_path / "worker-1.log"
    whole = json.dumps({"order_id": ID.format(1), "message": "order.completed"}, separators=(",", ":"))
    log.write_text(f"worker started\n{whole}\n{whole.replace('1', '2')}\n{whole[:30]}")

    first = list(tail.lines(lambda order_id: order_id == ID.format(1)))
    with log.open("a") as file:
        file.write(whole[30:] + "\n")
    second = list(tail.lines(lambda order_id: order_id == ID.format(1)))

    assert [each["order_id"] for each in first] == [ID.format(1)]
    assert first == second
