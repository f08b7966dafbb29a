"""Bridges are created before anything can send to them, and only for the targets of a sender."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from localbus.boundary.configuration import Configuration, Sender
from localbus.boundary.delivery import Deliveries
from localbus.boundary.names import Name
from localbus.boundary.proxy import BoundaryProxy
from localbus.boundary.state import Boundary
from localbus.engine import Engine, Options
from localbus.errors import AwsError
from localbus.events import api as events_api
from localbus.http.client import Answer, NoAnswerError
from localbus.http.message import Request, Response
from localbus.protocol.service import Caller
from localbus.sqs import api as sqs_api
from support.durable import as_killed
from support.waiting import eventually

ME = Caller()
RULE = {"Name": "r", "EventPattern": '{"source": ["aws.s3"]}'}
QUEUE = Name("sqs", ME.account, ME.region, "work")


class FakeCalls:
    """An upstream that answers after a moment, with the actions that it has answered."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failure: Exception | None = None

    async def json(self, target: str, arn: str, _params: Any, **_version: str) -> tuple[int, dict[str, Any]]:
        """Answer a JSON action. A receive never ends."""
        action = target.rpartition(".")[2]
        await asyncio.sleep(60 if action == "ReceiveMessage" else 0.01)
        if self.failure is not None:
            raise self.failure
        self.done.append(f"{action} {arn.rpartition(':')[2]}")
        return 200, {"QueueUrl": "http://upstream/queue"}

    async def form(self, _arn: str, _params: Any) -> Answer:
        """Answer a Query action."""
        return Answer(200, {}, b"")


class Bench:
    """A boundary of an engine before a fake upstream."""

    def __init__(self, data: Path | None = None) -> None:
        self.engine = Engine(Options(data=data))
        self.calls = FakeCalls()
        upstream: Any = self.calls
        engine = self.engine
        deliveries = Deliveries(engine.clock, engine.journal, engine.sqs, engine.sns, engine.events)
        self.boundary = Boundary(deliveries, upstream, engine.tasks)

    def do(self, service: str, action: str, **params: Any) -> Any:
        """Call an action of the engine."""
        made = events_api.service(self.engine.events) if service == "events" else sqs_api.service(self.engine.sqs)
        return made.actions[action](params, ME)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A boundary that is stopped after the test."""
    made = Bench()
    yield made
    await made.engine.tasks.cancel_all()


async def test_a_rule_is_answered_with_its_bridge(bench: Bench) -> None:
    """PutRule for events of AWS's services answers once the upstream's default bus has its bridge."""
    answer = await bench.do("events", "PutRule", **RULE)

    assert answer["RuleArn"].endswith("rule/r")
    assert bench.calls.done[-1] == "PutTargets event-bus/default"


async def test_a_rule_without_upstream_events_is_answered_at_once(bench: Bench) -> None:
    """PutRule for an application's events needs no bridge."""
    answer = bench.do("events", "PutRule", Name="r", EventPattern='{"source": ["shop"]}')

    assert (answer["RuleArn"].endswith("rule/r"), bench.boundary.is_ready) == (True, True)


async def test_an_upstream_that_is_down_holds_no_rule_back(bench: Bench) -> None:
    """PutRule answers while the upstream is down; the bridge tries again."""
    bench.calls.failure = NoAnswerError("down")
    await bench.do("events", "PutRule", **RULE)

    bench.calls.failure = None

    await eventually(lambda: "PutTargets event-bus/default" in bench.calls.done)


async def test_requests_to_the_upstream_follow_the_bridges(bench: Bench) -> None:
    """A request that may send to a queue made just before reaches the upstream after the queue's mirror."""
    await bench.boundary.prepare(Configuration(Sender("states", "machine"), all_of={"sqs"}), ME)
    bench.do("sqs", "CreateQueue", QueueName="work")
    seen: list[bool] = []

    def forward(_request: Request) -> Response:
        seen.append("CreateQueue work" in bench.calls.done)
        return Response(200, [])

    answer: Any = BoundaryProxy(bench.boundary, forward, AsyncMock())(Request("GET", "/", {}, [], b""))

    assert ((await answer).status, seen) == (200, [True])


async def test_messages_without_a_group_need_a_standard_target(bench: Bench) -> None:
    """A topic rule, a pipe or an identity cannot have a FIFO target."""
    for service in ("iot", "pipes", "ses"):
        with pytest.raises(AwsError, match=f"A FIFO queue or topic as a target of {service}"):
            await bench.boundary.prepare(Configuration(Sender(service), {QUEUE._replace(name="work.fifo")}), ME)

    assert bench.boundary.bridges == {}


@pytest.mark.parametrize("service", ["iot", "ses"])
@pytest.mark.parametrize("place", [{"account": "111122223333"}, {"region": "eu-west-1"}])
async def test_targets_of_another_account_or_region(bench: Bench, service: str, place: dict[str, Any]) -> None:
    """A topic rule or an identity has targets of the same account and region: others would get nothing."""
    with pytest.raises(AwsError, match="of another account or region") as raised:
        await bench.boundary.prepare(Configuration(Sender(service), {QUEUE._replace(**place)}), ME)

    assert (raised.value.code, bench.boundary.bridges) == ("NotImplemented", {})


async def test_only_targets_have_bridges(bench: Bench) -> None:
    """A sender to a queue makes the queue's bridge alone, and makes sure of it each time it is configured."""
    bench.do("sqs", "CreateQueue", QueueName="work")
    configuration = Configuration(Sender("scheduler", "schedule"), {QUEUE})
    for _ in range(2):
        await bench.boundary.prepare(configuration, ME)

    assert (set(bench.boundary.bridges), set(bench.calls.done)) == ({QUEUE.arn}, {"CreateQueue work"})
    assert len(bench.calls.done) >= 2


async def test_bridges_outlive_the_engine(tmp_path: Path) -> None:
    """After a kill and a restart, what the upstream sends is fetched again, and known by its sender.

    A target that is created later has its bridge too, of a sender to any target.
    """
    killed = Bench(tmp_path / "data")
    schedule = Sender("scheduler", "schedule/s", details={"DeadLetterConfig": {"Arn": "dead"}})
    killed.do("sqs", "CreateQueue", QueueName="work")
    await killed.boundary.prepare(Configuration(schedule, {QUEUE}), ME)
    await killed.boundary.prepare(Configuration(Sender("states", "machine"), all_of={"sqs"}), ME)
    await killed.do("events", "PutRule", **RULE)
    await killed.engine.storage.stored()
    bridges = killed.boundary.bridges

    restarted = Bench(as_killed(tmp_path / "data", tmp_path / "copy"))
    restarted.engine.restore()
    restarted.boundary.restore()

    assert restarted.boundary.bridges == bridges
    await eventually(lambda: {"CreateQueue work", "PutTargets event-bus/default"} <= {*restarted.calls.done})
    [sender] = restarted.boundary._senders[QUEUE].values()
    assert (sender, sender.details) == (schedule, schedule.details)
    restarted.do("sqs", "CreateQueue", QueueName="later")
    assert restarted.boundary.bridges["arn:aws:sqs:us-east-1:000000000000:later"] == ["machine"]
    for bench in (killed, restarted):
        await bench.engine.stop()
