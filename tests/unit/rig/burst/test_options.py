"""From what is typed to what is run: every mistake is told before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from orderboard.burst.chaos.schedule import KillWorker, ScaleWorkers, StartWorkers, StopWorkers
from orderboard.burst.mix import OwnOrders, parse_mix
from orderboard.burst.options import DEFAULT_MIX, Typed, amounts, burst_options
from orderboard.burst.report.cost import Counted, notifier_at_most, priced
from orderboard.errors import UsageError
from orderboard.system.workspace import STATE_DIR_VARIABLE

NOTHING: dict[str, Any] = {
    "backend": None,
    "endpoint_url": None,
    "orders": None,
    "duration": None,
    "rate": None,
    "profile": "constant",
    "trace": None,
    "mix": None,
    "own_orders": None,
    "seed": 1,
    "workers": (),
    "stop_worker": (),
    "freeze_worker": (),
    "kill_worker": (),
    "expect": (),
    "connections": 512,
    "give_up_after": "60s",
    "out": None,
    "yes": False,
}


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a burst's folder is made."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))


def typed(**options: Any) -> Typed:
    """These options, and the defaults."""
    return Typed(**{**NOTHING, **options})


@pytest.mark.parametrize(
    ("orders", "duration_s", "rate", "expected"),
    [
        (None, None, None, (2_000, 20)),
        (500, None, None, (500, 5)),
        (None, 3, None, (300, 3)),
        (None, None, 50, (1_000, 20)),
        (500, 10, None, (500, 10)),
        (500, None, 50, (500, 10)),
        (None, 10, 50, (500, 10)),
        (None, 0.001, 1, (1, 0.001)),
    ],
)
def test_two_of_three_amounts_give_the_third(
    orders: int | None, duration_s: float | None, rate: float | None, expected: tuple[int, float]
) -> None:
    """And the defaults help out."""
    assert amounts(orders, duration_s, rate) == expected


def test_the_schedule_is_put_in_order() -> None:
    """However it was typed."""
    options = burst_options(
        typed(stop_worker=("5s@10s",), kill_worker=("@3s",), workers=("2", "4@20s"), orders=10, duration="1s")
    )

    assert options.plan.faults == (KillWorker(3), StopWorkers(10), StartWorkers(15), ScaleWorkers(20, 4))
    assert options.system.services.workers == options.settings.workers == 2


def test_the_same_seed_names_its_orders_alike() -> None:
    """An order of one burst can be looked up in the files of the next, though their systems are apart."""
    first, again, other = (burst_options(typed(seed=seed)) for seed in (7, 7, 8))

    keys = [
        [intent.idempotency_key for intent in plan.orders.intents(seed=plan.seed, run=plan.run, orders=20)]
        for plan in (first.plan, again.plan, other.plan)
    ]
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])
    assert first.system.stack_name != again.system.stack_name


def test_the_default_mix_can_be_read() -> None:
    """The help shows it."""
    assert parse_mix(DEFAULT_MIX).percent


def test_own_orders_and_a_trace_come_from_files(tmp_path: Path) -> None:
    """As many orders as the trace has times."""
    orders, trace = tmp_path / "orders.jsonl", tmp_path / "trace.txt"
    orders.write_text('{"customer_id": "ada"}\n\n{"customer_id": "alan"}\n')
    trace.write_text("10\n12\n11\n")

    options = burst_options(typed(own_orders=orders, trace=trace))

    assert options.plan.orders == OwnOrders(({"customer_id": "ada"}, {"customer_id": "alan"}))
    assert list(options.plan.times_s) == [0, 1, 2]
    assert (options.settings.orders, options.settings.duration_s) == (3, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"orders": 1, "duration": "1s", "rate": 1.0}, "two of --orders, --duration and --rate"),
        ({"rate": 0.0}, "more than nothing"),
        ({"rate": float("nan")}, "more than nothing"),
        ({"duration": "0s"}, "more than nothing"),
        ({"duration": "soon"}, "'soon' is no duration"),
        ({"rate": 1e9}, "a burst has 1 to"),
        ({"profile": "flat"}, "no profile 'flat'"),
        ({"mix": "decaf=1"}, "no kind 'decaf'"),
        ({"mix": "express=1", "own_orders": Path("x")}, "exclude each other"),
        ({"own_orders": Path("missing.jsonl")}, "missing.jsonl: No such file"),
        ({"trace": Path("missing.txt")}, "missing.txt: No such file"),
        ({"trace": Path("x"), "rate": 5.0}, "leave out --orders, --duration and --rate"),
        ({"workers": ("1", "2")}, "give later ones a time"),
        ({"stop_worker": ("5s@5s",), "kill_worker": ("@7s",)}, "overlap"),
        ({"expect": ("speed<1",)}, "no metric 'speed'; choose from accept_mean_ms"),
        ({"expect": ("lost==nan",)}, "'nan' is no number"),
        ({"out": Path("/dev/null/out")}, "/dev/null/out: Not a directory"),
        ({"junit": Path("/dev/null/burst.xml")}, "/dev/null: File exists"),
        ({"junit": Path("/")}, "--junit names a file"),
    ],
)
def test_a_mistake_is_told_with_its_mend(options: dict[str, Any], said: str) -> None:
    """As a usage error, which is exit code 2."""
    with pytest.raises(UsageError, match=said):
        burst_options(typed(**options))


def test_an_empty_mix_is_all_normal() -> None:
    """And no mix is the default one."""
    assert burst_options(typed(mix="")).plan.orders == parse_mix("")
    assert burst_options(typed(mix="")).settings.mix == "all normal"
    assert burst_options(typed()).settings.mix == DEFAULT_MIX


def test_a_trace_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Without the words of a codec."""
    trace = tmp_path / "trace.txt"
    trace.write_bytes(b"1\n\xff\n")

    with pytest.raises(UsageError, match=r"trace\.txt: not UTF-8"):
        burst_options(typed(trace=trace))


def test_a_bad_line_of_own_orders_is_told_by_its_number(tmp_path: Path) -> None:
    """Before anything was sent."""
    orders = tmp_path / "orders.jsonl"
    orders.write_text('{"customer_id": "ada"}\n[1]\n')

    with pytest.raises(UsageError, match="line 2: not an order"):
        burst_options(typed(own_orders=orders))


def test_requests_are_priced_as_aws_does() -> None:
    """A batch is one request to SNS and SQS; EventBridge counts its events, DynamoDB its rows, and their copies."""
    cost = priced(
        [
            Counted("sns", "PublishBatch", 100_000, 1_000_000),
            Counted("sqs", "ReceiveMessage", 100_000, 100_000),
            Counted("eventbridge", "PutEvents", 100_000, 1_000_000),
            Counted("dynamodb", "BatchExecuteStatement", 40_000, 1_000_000),
            *notifier_at_most(100_000),
            Counted("s3", "PutObject", 1, 1),
            Counted("sqs", "SendMessage", 0, 0),
        ],
        orders=1_000_000,
    )

    assert {row.operation: row.usd for row in cost.requests} == {
        "PublishBatch": 0.05,
        "ReceiveMessage": 0.04,
        "PutEvents": 1.0,
        "BatchExecuteStatement": 1.25,
        "Invoke (notifier)": 0.02,
        "Publish (notifier)": 0.05,
        "PutObject": None,
    }
    said = {row.operation: row.price for row in cost.requests}
    assert said["PublishBatch"] == "$0.50 a million requests"
    assert said["BatchExecuteStatement"] == "2 x $0.625 a million entries"
    assert said["PutObject"] is None
    assert cost.requests_per_1000_orders == 540.0
    assert cost.usd_per_1000_orders == pytest.approx(0.00241)
