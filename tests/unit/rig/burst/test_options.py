"""From options to a plan: every mistake is found before anything starts. And the price of requests."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from orderboard.burst.faults.schedule import Fault
from orderboard.burst.load.mix import OwnOrders, parse_mix
from orderboard.burst.measured_system import Where
from orderboard.burst.options import BurstOptions
from orderboard.burst.plan import PlannedBurst, plan_burst
from orderboard.burst.report.cost import cost, notifier_at_most
from orderboard.burst.scenario.defaults import DEFAULT_MIX
from orderboard.burst.scenario.loads import amounts
from orderboard.errors import UsageError
from orderboard.system.workspace import STATE_DIR_VARIABLE


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for bursts."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))


def planned(**options: Any) -> PlannedBurst:
    """The plan of these options and the defaults."""
    return plan_burst(BurstOptions(**options), Where())


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
    """Defaults replace what is missing."""
    assert amounts(orders, duration_s, rate) == expected


def test_a_worker_function_takes_the_place_of_the_processes() -> None:
    """No process is a worker, the function's time limit fits the visibility timeout, and the report says function."""
    plan = planned(worker="lambda", orders=10, kill_api=["@1s"])

    assert (plan.system.worker, plan.system.workers) == ("lambda", 0)
    assert "WorkVisibilityTimeoutS" not in plan.system.parameters
    assert (plan.settings.worker, plan.settings.workers_text) == ("lambda", "a worker function")


def test_the_schedule_is_put_in_order() -> None:
    """In whatever order it was typed."""
    options = planned(stop_worker=["5s@10s"], kill_worker=["@3s"], workers=["2", "4@20s"], orders=10, duration="1s")

    assert options.plan.faults == (
        Fault(3, "kill-worker"),
        Fault(10, "stop-worker"),
        Fault(15, "start-worker"),
        Fault(20, "scale", 4),
    )
    assert options.system.services.workers == options.settings.workers == 2


def test_faults_of_the_backend_are_scheduled_like_those_of_workers() -> None:
    """Settings without a time hold from the start: disorder with the backend itself, API faults with the load."""
    options = planned(
        kill_backend=["@2s"],
        kill_api=["@1s"],
        disorder=["duplicates=0.4", "none@5s"],
        faults=["throttle=0.1,error_after:PublishBatch=1,timeout_after/50ms=0.2", "none@4s"],
        duration="6s",
    )

    assert options.plan.faults == (
        Fault(0, "faults", settings="throttle=0.1,error_after:PublishBatch=1,timeout_after/50ms=0.2"),
        Fault(1, "kill-api"),
        Fault(2, "kill-backend"),
        Fault(4, "faults", settings="none"),
        Fault(5, "disorder", settings="none"),
    )
    assert options.system.disorder == options.settings.disorder == "duplicates=0.4"
    assert options.system.parameters["AlertsMaxReceiveCount"] == "20"
    assert "AlertsMaxReceiveCount" not in planned(kill_api=["@1s"]).system.parameters


@pytest.mark.parametrize("options", [{"kill_backend": ["@1s"]}, {"faults": ["drop=1"]}, {"disorder": ["none@1s"]}])
@pytest.mark.parametrize("where", [Where("ministack"), Where(endpoint_url="http://127.0.0.1:4566")])
def test_faults_of_the_backend_need_an_embedded_one(options: dict[str, Any], where: Where) -> None:
    """Started here: another could not be killed, or would not come back."""
    with pytest.raises(UsageError, match="only with the embedded backend, started here"):
        plan_burst(BurstOptions(**options), where)


def test_the_same_seed_gives_the_same_keys() -> None:
    """An order of one burst can be looked up in the files of the next, although each has its own system."""
    first, again, other = (planned(seed=seed) for seed in (7, 7, 8))

    keys = [
        [order.idempotency_key for _, order in islice(plan.streams[0].orders(), 20)]
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

    options = planned(own_orders=orders, trace=trace)

    assert options.plan.streams[0].source == OwnOrders(((1, {"customer_id": "ada"}), (3, {"customer_id": "alan"})))
    assert list(options.plan.times_s or ()) == [0, 1, 2]
    assert (options.settings.orders, options.settings.duration_s) == (3, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"orders": 1, "duration": "1s", "rate": 1.0}, "two of --orders, --duration and --rate"),
        ({"rate": 0.0}, "expected above 0"),
        ({"rate": float("nan")}, "expected above 0"),
        ({"duration": "0s"}, "expected above 0"),
        ({"duration": "soon"}, "--duration soon: expected a duration with a unit"),
        ({"rate": 1e9}, "at most 5,000,000 orders"),
        ({"mix": "decaf=3"}, "unknown kind 'decaf'; expected one of express"),
        ({"mix": "normal=50"}, "unknown kind 'normal'"),
        ({"mix": "express"}, "--mix express: expected a percentage for express, such as express=2."),
        ({"mix": "express=much"}, "expected a percentage"),
        ({"mix": "express=-1"}, "expected 0 to 100 percent for express"),
        ({"mix": "express=nan"}, "expected a percentage for express"),
        ({"mix": "express=1_0"}, "expected a percentage for express"),
        ({"mix": "express=\u0663"}, "expected a percentage for express"),
        ({"mix": "express=1e400"}, "expected a percentage for express"),
        ({"mix": "express=1,express=2"}, "express is given twice"),
        ({"mix": "express=60,large=60"}, "120 percent, more than 100"),
        ({"profile": "tsunami"}, "unknown profile; expected one of constant"),
        ({"profile": "spike:height=3"}, "spike has no setting 'height'; it has factor, at, lasts"),
        ({"profile": "spike:factor=high"}, "--profile spike:factor=high: expected a number for factor."),
        ({"profile": "spike:factor=1"}, "factor above 1"),
        ({"profile": "spike:at=nan"}, "expected a number for at"),
        ({"profile": "spike:at=0.95,lasts=0.1"}, "within the duration"),
        ({"profile": "sawtooth:teeth=0"}, "needs 1 to 1,000,000 teeth"),
        ({"profile": "sawtooth:teeth=9999999"}, "needs 1 to 1,000,000 teeth"),
        ({"profile": "sawtooth:teeth=1_0"}, "expected a number for teeth"),
        ({"profile": "spike:factor=inf"}, "expected a number for factor"),
        ({"profile": "spike:factor=1e300"}, "factor above 1"),
        ({"profile": "sawtooth:teeth=1.5"}, "expected a number for teeth"),
        ({"profile": "poisson:rate=3"}, "no settings"),
        ({"expect": ["fast"]}, "expected a metric, a comparison and a number"),
        ({"expect": ["accept_p99_ms=50"]}, "expected a metric, a comparison and a number"),
        ({"expect": ["speed<5"]}, "unknown metric 'speed'; expected one of accept_p99, end_to_end_p99.9"),
        ({"expect": ["lost==none"]}, "--expect lost==none: expected a number or a share such as 1% after =="),
        ({"duration": "7"}, "--duration 7: expected a duration with a unit, such as 10s, 500ms or 2m."),
        ({"stop_worker": ["10s"]}, "expected FOR@TIME, such as 10s@5s"),
        ({"stop_worker": ["@2s"]}, "expected FOR@TIME, such as 10s@5s"),
        ({"stop_worker": ["0s@5s"]}, "FOR must be positive"),
        ({"stop_worker": ["ten@5s"]}, "--stop-worker ten@5s: expected a duration"),
        ({"freeze_worker": ["@5s"]}, "expected FOR@TIME"),
        ({"kill_worker": ["7s"]}, "expected @TIME, such as @7s"),
        ({"kill_worker": ["2@7s"]}, "expected @TIME"),
        ({"kill_worker": ["@-1s"]}, "--kill-worker @-1s: expected a duration"),
        ({"kill_backend": ["7s"]}, "--kill-backend 7s: expected @TIME, such as @7s"),
        ({"kill_api": ["@soon"]}, "--kill-api @soon: expected a duration"),
        ({"full_disk": ["@5s"]}, "expected FOR@TIME"),
        (
            {"full_disk": ["5s@5s", "1s@6s"], "orders": 1},
            "The faults overlap: the backend's disk is full for 1 s at 6 s",
        ),
        ({"disorder": ["duplicates=2@1s"]}, "expected a probability from 0 to 1 for duplicates, not '2'"),
        ({"disorder": ["twins=0.1@1s"]}, "unknown setting 'twins': expected seed, duplicates"),
        ({"disorder": ["duplicates=0.1@noon"]}, "expected a duration"),
        ({"disorder": ["duplicates=0.1", "duplicates=0.2"]}, "give the later one a time"),
        ({"disorder": [""]}, "unknown setting ''"),
        ({"faults": ["throttle=0.1,throttle=0.2"]}, "throttle is given twice"),
        ({"faults": ["throttle"]}, "--faults throttle: expected a probability from 0 to 1 for throttle"),
        ({"faults": ["fire=1@1s"]}, "unknown fault 'fire': expected one of throttle, error_before"),
        ({"faults": ["latency=0.5"]}, "latency needs its length, such as latency/300ms=0.5"),
        ({"faults": ["drop/5ms=0.5"]}, "drop has no length; only latency and timeout_after have one"),
        ({"workers": ["0"]}, "expected 1 to 32"),
        ({"workers": ["99@1s"]}, "expected 1 to 32"),
        ({"workers": ["many"]}, "expected 1 to 32, or that with a time, such as 2@12s"),
        ({"workers": ["2@noon"]}, "--workers 2@noon: expected a duration"),
        ({"mix": "express=1", "own_orders": Path("x")}, "exclude each other"),
        ({"own_orders": Path("missing.jsonl")}, "missing.jsonl: No such file"),
        ({"trace": Path("missing.txt")}, "missing.txt: No such file"),
        ({"trace": Path("x"), "rate": 5.0}, "leave out --orders, --duration and --rate"),
        ({"workers": ["1", "2"]}, "give the later one a time"),
        ({"worker": "lambda", "workers": ["3"]}, "--workers 3: this needs workers that are processes"),
        ({"worker": "lambda", "workers": ["1", "2@5s"]}, "--workers 1: this needs workers that are processes"),
        ({"worker": "lambda", "stop_worker": ["5s@5s"]}, "--stop-worker 5s@5s: this needs workers"),
        ({"worker": "lambda", "freeze_worker": ["5s@5s"]}, "--freeze-worker 5s@5s: this needs workers"),
        ({"worker": "lambda", "kill_worker": ["@5s"]}, "--kill-worker @5s: this needs workers"),
        ({"stop_worker": ["5s@5s"], "kill_worker": ["@7s"]}, "overlap"),
        (
            {"expect": ["speed<1"]},
            "--expect speed<1: unknown metric 'speed'; expected one of accept_p99, end_to_end_p99.9",
        ),
        ({"expect": ["lost==nan"]}, "expected a number or a share such as 1% after =="),
        ({"expect": ["drain_s<inf"]}, "expected a number after <"),
        ({"expect": ["lost==1_0"]}, "expected a number or a share such as 1% after =="),
        ({"rate": float("nan")}, "--rate is nan: expected above 0"),
        ({"rate": float("inf")}, "--rate is inf: expected above 0"),
        ({"rate": 1e-9, "orders": 10}, "--orders at --rate take 1e\\+10 s: expected at most"),
        ({"duration": "0s"}, "--duration is 0 s: expected above 0"),
        ({"duration": "9999999m"}, "--duration is 6e\\+08 s: expected above 0 and at most 604,800 s"),
        ({"duration": "9" * 400 + "s"}, "expected a duration of at most twelve digits"),
        ({"duration": "\u0663s"}, "expected a duration with a unit"),
        ({"workers": ["\u0663"]}, "expected 1 to 32"),
        ({"out": Path("/dev/null/out")}, "--out /dev/null/out: the folder cannot be created: Not a directory"),
        ({"junit": Path("/dev/null/burst.xml")}, "--junit /dev/null: the folder cannot be created: File exists"),
        ({"junit": Path("/")}, "--junit /: expected a file"),
    ],
)
def test_a_mistake_names_the_option_and_the_expected_form(options: dict[str, Any], said: str) -> None:
    """As a usage error, which is exit code 2."""
    with pytest.raises(UsageError, match=said) as error:
        planned(**options)

    first = next(iter(options))
    assert f"--{'from' if first == 'own_orders' else first.replace('_', '-')}" in str(error.value) or len(options) > 1


def test_a_fault_after_the_end_of_the_load_is_named() -> None:
    """It may find no order in flight. One during the load is fine, also if it lasts longer."""
    late, timely = planned(kill_worker=["@9s"], duration="5s"), planned(stop_worker=["3s@4s"], duration="5s")

    assert not timely.warnings
    assert late.warnings == (
        "a worker killed (SIGKILL), another started at 9 s: that is after the end of the load at 5 s, so it may find "
        "no order in flight.",
    )


def test_an_empty_mix_is_all_normal() -> None:
    """Without the option, the default mix is used."""
    assert planned(mix="").plan.streams[0].source == parse_mix("")
    assert planned(mix="").settings.mix == "all normal"
    assert planned().settings.mix == DEFAULT_MIX


def test_a_trace_that_is_not_text_is_rejected(tmp_path: Path) -> None:
    """Without the words of a codec."""
    trace = tmp_path / "trace.txt"
    trace.write_bytes(b"1\n\xff\n")

    with pytest.raises(UsageError, match=r"trace\.txt: not UTF-8"):
        planned(trace=trace)


def test_an_invalid_line_of_own_orders_is_named_by_its_number(tmp_path: Path) -> None:
    """Before anything is sent."""
    orders = tmp_path / "orders.jsonl"
    orders.write_text('{"customer_id": "ada"}\n[1]\n')

    with pytest.raises(UsageError, match="line 2: not an order"):
        planned(own_orders=orders)


def test_requests_are_priced_as_aws_does() -> None:
    """A batch is one request to SNS and SQS; EventBridge counts its events, DynamoDB its rows, and their copies."""
    priced = cost(
        {
            ("sns", "PublishBatch"): (100_000, 1_000_000),
            ("sqs", "ReceiveMessage"): (100_000, 100_000),
            ("eventbridge", "PutEvents"): (100_000, 1_000_000),
            ("dynamodb", "BatchExecuteStatement"): (40_000, 1_000_000),
            **notifier_at_most(100_000),
            ("s3", "PutObject"): (1, 1),
            ("sqs", "SendMessage"): (0, 0),
        },
        orders=1_000_000,
    )

    assert {row.operation: row.usd for row in priced.requests} == {
        "PublishBatch": 0.05,
        "ReceiveMessage": 0.04,
        "PutEvents": 1.0,
        "BatchExecuteStatement": 1.25,
        "Invoke (notifier)": 0.02,
        "Publish (notifier)": 0.05,
        "PutObject": None,
    }
    said = {row.operation: row.price for row in priced.requests}
    assert said["PublishBatch"] == "$0.50 a million requests"
    assert said["BatchExecuteStatement"] == "2 x $0.625 a million entries"
    assert said["PutObject"] is None
    assert priced.requests_per_1000_orders == 540.0
    assert priced.usd_per_1000_orders == pytest.approx(0.00241)
