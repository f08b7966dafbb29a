"""Bursts against a system that runs already: refused options, own orders among others', answers alone, the price."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from orderboard.burst.judge.answers import judge_answers
from orderboard.burst.judge.attempt import Attempt
from orderboard.burst.judge.verdict import judge
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.drain import Drain
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measured_system import Where
from orderboard.burst.model import Summary
from orderboard.burst.options import BurstOptions
from orderboard.burst.plan import plan_burst, plan_for_stack
from orderboard.burst.scenario.check import check
from orderboard.burst.targets.estimate import check_cap, estimate, total_usd
from orderboard.burst.targets.own_orders import own_evidence, own_ids
from orderboard.errors import UsageError
from orderboard.ledger.ledger import Announcement, Evidence, Outcome
from orderboard.ledger.leftovers import leftovers
from orderboard.ledger.outcome_listener import listen_for_outcomes
from orderboard.orders.dead_letters import PLACED, DeadLetter
from orderboard.orders.kinds import Ending
from orderboard.orders.queues import Depth
from orderboard.system.state import State, StateFile
from orderboard.system.target import Target
from orderboard.system.workspace import STATE_DIR_VARIABLE
from orderboard_contracts.identity import order_id_for
from orderboard_stack.backend import Endpoint
from orderboard_stack.outputs import StackOutputs
from unit.rig.burst.summaries import SUMMARY, Planned
from unit.rig.burst.test_recorder import reply

API = "http://127.0.0.1:8000"
COMPLETED: frozenset[Ending] = frozenset(("completed",))
STATE = State(
    backend="embedded",
    endpoint_url="http://127.0.0.1:4566",
    region="us-east-1",
    stack_name="board",
    prefix="board",
    api_url=API,
    processes=(),
)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system of `up` at API, as its file says."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path))
    StateFile(tmp_path).write(STATE)


def _attempt(number: int, **changes: Any) -> Attempt:
    key = f"burst-{number}"
    attempt = Attempt("normal", key, "acknowledged", COMPLETED, (order_id_for(key),))
    return replace(attempt, **changes)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"workers": ["2"]}, "--workers: only order-api at .* is known, not its stack"),
        ({"kill_worker": ["@1s"]}, "--kill-worker: only order-api"),
        ({"disorder": ["duplicates=0.1"]}, "--disorder: only order-api"),
        ({"faults": ["throttle=0.1"]}, "--faults: only order-api"),
        ({"expect": ["lost==0"]}, "--expect lost==0: lost needs the stack"),
        ({"expect": ["end_to_end_p99<1s"]}, "end_to_end_p99 needs the stack"),
        ({"expect": ["drain<1s"]}, "drain needs the stack"),
        ({"abort_on_fail": ["finished>1"]}, "finished needs the stack"),
        ({"running": True}, "leave out --api-url"),
    ],
)
def test_what_needs_the_stack_is_refused_without_it(options: dict[str, Any], reason: str) -> None:
    """With one line and the reason."""
    with pytest.raises(UsageError, match=reason) as refused:
        check(BurstOptions(api_url="http://127.0.0.1:9", **options), Where())

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kill_api": ["@1s"]}, "--kill-api: others may use the running system"),
        ({"mix": "poison=1"}, "up --allow-faults"),
        ({"mix": "sold_out=1"}, "ORDERBOARD_SOLD_OUT is not set"),
    ],
)
def test_a_running_system_is_not_changed(options: dict[str, Any], reason: str) -> None:
    """Nor gets it orders that it cannot take."""
    with pytest.raises(UsageError, match=reason):
        check(BurstOptions(running=True, **options), Where())


def test_a_stack_alone_is_not_a_target() -> None:
    """A burst would start a system beside it."""
    with pytest.raises(UsageError, match=r"--stack-name.*--api-url"):
        check(BurstOptions(stack_name="board"), Where())


@pytest.mark.parametrize(
    ("options", "where", "has_stack"),
    [
        ({"running": True}, Where(), True),
        ({"api_url": f"{API}/"}, Where(), True),
        ({"api_url": "http://127.0.0.1:9"}, Where(), False),
        ({"api_url": "http://127.0.0.1:9", "stack_name": "other"}, Where(), True),
        ({"api_url": "http://127.0.0.1:9"}, Where(endpoint_url="http://127.0.0.1:4566"), True),
        ({"api_url": "https://example.com"}, Where(backend="aws"), True),
    ],
)
def test_the_stack_is_read_where_it_is_known(options: dict[str, Any], where: Where, has_stack: bool) -> None:
    """Of `up`'s own order-api without being named."""
    target = check(BurstOptions(**options, expect=["accept_p99<1s", "refused<1%"]), where).target

    assert target is not None
    assert target.has_stack is has_stack


def test_each_burst_has_other_ids() -> None:
    """The table of a running system has those of earlier bursts."""
    runs = {check(BurstOptions(running=True, seed=1), Where()).plan.streams[0].run for _ in range(2)}

    assert len(runs) == 2


def test_others_orders_are_named_and_not_judged() -> None:
    """Their outcomes, dead letters and alerts are not unexpected; an unknown ending of ours still is lost."""
    attempts, other = [_attempt(1), _attempt(2)], order_id_for("of another")
    first = order_id_for("burst-1")
    evidence = Evidence(
        final_rows={first: "completed", other: "rejected"},
        outcomes=(Outcome("e1", first, "completed"), Outcome("e2", other, "rejected")),
        dead_letters=(DeadLetter("dlq", "m1", other, PLACED, 3), DeadLetter("dlq", "m2", None, None, 3)),
        announcements=(Announcement("a1", "order_rejected", other),),
    )

    own, others = own_evidence(evidence, own_ids(attempts))
    verdict = judge(attempts, own, large_order_cents=10_000, end="drained", others=others).verdict

    assert (others.finished, others.dead_letters, others.examples) == (1, 2, (other,))
    assert (verdict.completed, verdict.lost, verdict.unexpected) == (1, 1, 0)
    assert verdict.others == others


def test_others_messages_do_not_hold_the_drain_up() -> None:
    """All own orders have ended. One that has not is lost only once the queues are empty; else it is given up."""
    busy = {role: Depth(5, 1, 0) for role in ("work", "express", "alerts", "inbox", "listener")}
    recorder = Recorder([Stream(Planned(), Open([0.0, 0.5]), 1, "run")], shared=True)
    recorder.replied(reply(0, 0.1))
    recorder.outcome("of another", 0.5)
    recorder.outcome("order-0", 2.0)
    drain = Drain(recorder, give_up_after_s=90, within_s=1000, shared=True)
    assert recorder.finished == 1

    drain.observe(Sample(0.0, busy), 1.0, 2.2, faults_pending=False)
    assert drain.end(Sample(0.0, busy), 1.0, 2.2, faults_pending=False) == "drained"

    recorder.replied(reply(1, 0.6))
    for now_s, expected in ((30.0, None), (93.0, "given up")):
        drain.observe(Sample(0.0, busy), now_s, now_s, faults_pending=False)
        assert drain.end(Sample(0.0, busy), now_s, now_s, faults_pending=False) == expected


def test_answers_alone_are_never_valid() -> None:
    """Fields that only the ledger gives are null in the file, and listed; the answers are a class apart."""
    attempts = [
        _attempt(1),
        _attempt(2, answer="refused", order_ids=(), may_end=frozenset(), refusals=("422",)),
    ]

    verdict = judge_answers(attempts).verdict
    document = SUMMARY.model_copy(update={"verdict": verdict}).document()

    assert (verdict.valid, verdict.answered, verdict.good) == (False, True, True)
    unknown = ("lost", "duplicated", "completed", "rejected", "cancelled", "dead_lettered", "recovered")
    assert {document["verdict"][name] for name in unknown} == {None}
    assert {document[name] for name in ("drain_s", "finished_per_s", "peak_backlog")} == {None}
    assert [each.partition(":")[0] for each in verdict.unproven] == [
        *("lost", "duplicated", "endings", "recovered", "drain"),
    ]
    assert Summary.model_validate_json(json.dumps(document)).verdict == verdict


@pytest.mark.parametrize(
    "attempt",
    [
        _attempt(1, answer="unavailable", order_ids=(), refusals=("503",)),
        _attempt(1, answer="refused", order_ids=(), refusals=("422",)),
        _attempt(1, may_end=frozenset()),
        _attempt(1, order_ids=("one", "two")),
    ],
    ids=["none", "refused", "accepted", "two orders"],
)
def test_a_wrong_answer_is_found(attempt: Attempt) -> None:
    """None at all, a refusal, a 202 that must not be, and two orders for one key."""
    verdict = judge_answers([_attempt(2), attempt]).verdict

    assert verdict.answered is False
    assert verdict.headline.startswith("Not answered as they must be: 1 ")


def test_the_cost_is_estimated_and_capped_before_anything_is_sent() -> None:
    """Prices follow the parameters; a plan of AWS above the cap is refused without an account."""
    assert total_usd(estimate(2_000, 20)) == pytest.approx(2 * total_usd(estimate(1_000, 0)), rel=0.1)
    dearer = estimate(1_000, None, {"sqs": 4.0})
    assert total_usd(dearer) - total_usd(estimate(1_000, None)) == pytest.approx(10 * 1_000 * 3.6 / 1e6)
    assert "sqs at $4 a million, as given" in dearer.prices_source

    with pytest.raises(UsageError, match=r"--max-cost 1: this may cost .* USD on AWS"):
        plan_burst(BurstOptions(orders=1_000_000, duration="600s", max_cost=1.0), Where("aws"))
    with pytest.raises(UsageError, match="--max-cost"):
        plan_burst(BurstOptions(api_url="https://example.com", orders=90_000, repeat=10, max_cost=1.0), Where())
    with pytest.raises(UsageError, match="Use rates, or --clients with --orders"):
        check_cap(None, 1.0, repeat=1)


def test_leftovers_of_a_killed_burst_are_named(localbus: Localbus) -> None:
    """Its process has ended on this machine; a listener that is in use, and one of another machine, are not named."""
    localbus.client("events").create_event_bus(Name="board")
    outputs = StackOutputs(**{field.name: "board" for field in fields(StackOutputs)})
    target = Target(Endpoint("embedded", localbus.url), outputs)
    rules = target.events

    with listen_for_outcomes(target) as alive:
        (rule,) = rules.list_rules(EventBusName="board", NamePrefix=alive.queue)["Rules"]
        gone = rule["Description"].replace("process ", "process 9")
        elsewhere = gone.replace(" of ", " of another-")
        for name, description in (("dead", gone), ("away", elsewhere)):
            rules.put_rule(
                Name=f"board-outcomes-{name}",
                EventBusName="board",
                EventPattern=rule["EventPattern"],
                Description=description,
            )
            target.sqs.create_queue(QueueName=f"board-outcomes-{name}")
        target.sqs.create_queue(QueueName="board-outcomes-dead-alerts")

        assert leftovers(target) == ["board-outcomes-dead", "board-outcomes-dead-alerts"]


def test_a_poisoned_order_is_waited_for_as_long_as_the_stack_tries_it() -> None:
    """Five receives of 30 s take longer than the usual end of a drain."""
    names = {field.name: "board" for field in fields(StackOutputs)}
    outputs = StackOutputs(**names | {"work_visibility_timeout_s": "30", "work_max_receive_count": "5"})
    plan = check(BurstOptions(running=True), Where()).plan

    assert plan_for_stack(plan, Target(Endpoint("embedded", API), outputs)).give_up_after_s == 180
    assert plan_for_stack(plan, None).give_up_after_s == 90
