"""EventBridge after a kill: `--data` has everything that was acknowledged, and what ran goes on.

A kill is a copy of the folder as it is, on which another engine starts.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from localbus.ids import new_id
from localbus.storage.documents import decode, encode
from localbus.storage.durable import DurableStorage
from support.durable import as_killed
from support.events import QUEUE_ARN, Bench, Elsewhere

Kill = Callable[..., Awaitable[Bench]]
OTHER = "123456789012"
EVERYTHING = '{"source":[{"prefix":""}]}'


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """An engine on an empty folder."""
    bench = Bench(storage=DurableStorage(tmp_path / "0"))
    yield bench
    await stop(bench)


@pytest.fixture
async def kill(tmp_path: Path) -> AsyncIterator[Kill]:
    """A function that kills an engine and returns one that has started on its folder, `down_s` later."""
    started: list[Bench] = []
    numbers = itertools.count(1)

    async def kill(bench: Bench, *, down_s: float = 0.0) -> Bench:
        assert isinstance(bench.storage, DurableStorage)
        bench.storage.commit()
        number = next(numbers)
        folder = as_killed(tmp_path / str(number - 1), tmp_path / str(number))
        bench.events.stop()
        await bench.tasks.cancel_all()
        again = Bench(storage=DurableStorage(folder))
        again.clock.advance(bench.clock.now() - again.clock.now() + down_s)
        again.sqs.restore()
        again.events.restore()
        started.append(again)
        return again

    yield kill
    for one in started:
        await stop(one)


async def stop(bench: Bench) -> None:
    """End an engine."""
    bench.events.stop()
    await bench.tasks.cancel_all()
    bench.storage.close()


def at(when: float) -> datetime:
    """Return a time for a parameter."""
    return datetime.fromtimestamp(when, UTC)


def put_at(bench: Bench, *times: float) -> None:
    """Put an event for each of these times, which is also its detail."""
    entries = [{"Source": "s", "DetailType": "t", "Detail": json.dumps({"at": one}), "Time": at(one)} for one in times]
    bench.call("PutEvents", Entries=entries)


def received(bench: Bench, name: str = "q") -> list[Any]:
    """Return the details of the events in a queue, in order."""
    return [json.loads(message.body)["detail"] for message in bench.messages(name)]


def live_records(bench: Bench) -> dict[tuple[str, str, str], Any]:
    """Return what the resources in memory are as records, by kind, owner and key."""
    events = bench.events
    live = {
        (registry.kind, "", item.arn): item.document()
        for registry in (events.buses, events.connections, events.destinations, events.archives, events.replays)
        for item in registry
    }
    live |= {
        ("events.rule", bus.arn, rule.name): rule.document() for bus in events.buses for rule in bus.rules.values()
    }
    return {name: decode(encode(document)) for name, document in live.items()}


def stored_records(bench: Bench) -> dict[tuple[str, str, str], Any]:
    """Return the records of the resources in the storage."""
    kinds = ("bus", "rule", "connection", "api_destination", "archive", "replay")
    return {
        (f"events.{kind}", owner, key): document
        for kind in kinds
        for owner, key, document in bench.storage.records(f"events.{kind}")
    }


def described(bench: Bench) -> dict[str, Any]:
    """Return what the engine answers about its resources."""
    buses = bench.call("ListEventBuses")["EventBuses"]
    answers: dict[str, Any] = {"buses": buses}
    for bus in buses:
        name, of_bus = bus["Name"], {"EventBusName": bus["Name"]}
        answers[name] = bench.call("DescribeEventBus", Name=name)
        answers[f"tags of {name}"] = bench.call("ListTagsForResource", ResourceARN=bus["Arn"])
        for rule in bench.call("ListRules", **of_bus)["Rules"]:
            answers[rule["Arn"]] = [
                bench.call("DescribeRule", Name=rule["Name"], **of_bus),
                bench.call("ListTargetsByRule", Rule=rule["Name"], **of_bus),
                bench.call("ListTagsForResource", ResourceARN=rule["Arn"]),
            ]
    for kind, listed, name in (
        ("Connection", "Connections", "Name"),
        ("ApiDestination", "ApiDestinations", "Name"),
        ("Archive", "Archives", "ArchiveName"),
        ("Replay", "Replays", "ReplayName"),
    ):
        for one in bench.call(f"List{listed}")[listed]:
            answers[f"{kind} {one[name]}"] = bench.call(f"Describe{kind}", **{name: one[name]})
    return answers


BASIC = {"BasicAuthParameters": {"Username": "u", "Password": "secret"}}
BUS = {"EventBusName": "b"}
BUS_ARN = "arn:aws:events:us-east-1:000000000000:event-bus/b"
ARCHIVE_ARN = "arn:aws:events:us-east-1:000000000000:archive/a"
TARGET = {"Id": "1", "Arn": QUEUE_ARN, "Input": '"half a pair: \ud800"', "RetryPolicy": {"MaximumRetryAttempts": 3}}
TAG = [{"Key": "k", "Value": "v"}]
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("CreateEventBus", {"Name": "b", "Description": "d", "Tags": TAG}),
    ("CreateEventBus", {"Name": "gone"}),
    ("UpdateEventBus", {"Name": "b", "Description": "e", "DeadLetterConfig": {"Arn": QUEUE_ARN}}),
    ("PutPermission", {**BUS, "StatementId": "s", "Action": "events:PutEvents", "Principal": OTHER}),
    ("PutPermission", {**BUS, "StatementId": "t", "Action": "events:PutEvents", "Principal": "*"}),
    ("RemovePermission", {**BUS, "StatementId": "t"}),
    ("TagResource", {"ResourceARN": BUS_ARN, "Tags": [*TAG, {"Key": "l", "Value": ""}]}),
    ("UntagResource", {"ResourceARN": BUS_ARN, "TagKeys": ["k"]}),
    ("PutRule", {**BUS, "Name": "r", "EventPattern": EVERYTHING, "Description": "d", "RoleArn": "arn:aws:iam::1:r"}),
    ("PutTargets", {**BUS, "Rule": "r", "Targets": [TARGET, {**TARGET, "Id": "2"}]}),
    ("RemoveTargets", {**BUS, "Rule": "r", "Ids": ["2"]}),
    ("TagResource", {"ResourceARN": "arn:aws:events:us-east-1:000000000000:rule/b/r", "Tags": TAG}),
    ("PutRule", {"Name": "tick", "ScheduleExpression": "rate(5 minutes)", "State": "DISABLED"}),
    ("EnableRule", {"Name": "tick"}),
    ("PutRule", {"Name": "cron", "ScheduleExpression": "cron(0 12 * * ? *)", "Tags": TAG}),
    ("DisableRule", {"Name": "cron"}),
    ("PutRule", {"Name": "gone", "EventPattern": EVERYTHING}),
    ("DeleteRule", {"Name": "gone"}),
    ("DeleteEventBus", {"Name": "gone"}),
    ("CreateConnection", {"Name": "c", "AuthorizationType": "BASIC", "AuthParameters": BASIC, "Description": "d"}),
    ("CreateConnection", {"Name": "gone", "AuthorizationType": "BASIC", "AuthParameters": BASIC}),
    ("UpdateConnection", {"Name": "c", "Description": "e"}),
    ("DeauthorizeConnection", {"Name": "c"}),
    ("DeleteConnection", {"Name": "gone"}),
    ("CreateArchive", {"ArchiveName": "a", "EventSourceArn": BUS_ARN, "RetentionDays": 1, "Description": "d"}),
    ("CreateArchive", {"ArchiveName": "gone", "EventSourceArn": BUS_ARN}),
    ("UpdateArchive", {"ArchiveName": "a", "EventPattern": EVERYTHING, "KmsKeyIdentifier": "k"}),
    ("PutEvents", {"Entries": [{**BUS, "Source": "s", "DetailType": "t", "Detail": "{}"}] * 3}),
    ("DeleteArchive", {"ArchiveName": "gone"}),
    ("DisableRule", {**BUS, "Name": "Events-Archive-a", "Force": True}),
    (
        "StartReplay",
        {
            "ReplayName": "one",
            "EventSourceArn": ARCHIVE_ARN,
            "EventStartTime": at(0),
            "EventEndTime": at(2e9),
            "Destination": {"Arn": BUS_ARN},
            "Description": "d",
        },
    ),
    ("CancelReplay", {"ReplayName": "one"}),
]


async def test_each_change_is_stored(bench: Bench, kill: Kill) -> None:
    """After each action the records are those of the live resources, and a restarted engine answers the same."""
    for action, params in CHANGES:
        bench.call(action, **params)
        await asyncio.sleep(0)

        assert stored_records(bench) == live_records(bench), action

    bench.clock.advance(2)
    destination: dict[str, Any] = {
        "Name": "d",
        "HttpMethod": "POST",
        "InvocationEndpoint": "https://x",
        "Description": "d",
    }
    arn = bench.call("DescribeConnection", Name="c")["ConnectionArn"]
    bench.call("CreateApiDestination", ConnectionArn=arn, **destination)
    bench.call("UpdateApiDestination", Name="d", InvocationRateLimitPerSecond=7)
    before = described(bench)

    again = await kill(bench)

    assert described(again) == before
    assert stored_records(again) == live_records(again)
    assert before["Replay one"]["State"] == "CANCELLED"
    assert before["Archive a"]["EventCount"] == 3


async def test_restored_rules_match_events(bench: Bench, kill: Kill) -> None:
    """Those that are enabled, with their targets and inputs."""
    arn = bench.queue("q")
    bench.rule({"Arn": arn}, {"Arn": arn, "InputPath": "$.detail"})
    bench.rule({"Arn": arn}, name="off")
    bench.call("DisableRule", Name="off")

    again = await kill(bench)
    again.put('{"a": 5}')

    whole, part = (json.loads(message.body) for message in again.messages("q"))
    assert (whole["detail"], part) == ({"a": 5}, {"a": 5})


async def test_a_tick_that_was_due_while_the_engine_was_down_comes_once(bench: Bench, kill: Kill) -> None:
    """At the start; the rate keeps its phase."""
    start = bench.clock.now()
    bench.call("PutRule", Name="tick", ScheduleExpression="rate(5 minutes)")
    bench.call("PutTargets", Rule="tick", Targets=[{"Id": "1", "Arn": bench.queue("q")}])
    bench.clock.advance(301)

    again = await kill(bench, down_s=1000)
    again.clock.advance(0)
    times = [json.loads(message.body)["time"] for message in again.messages("q")]
    again.clock.advance(300)

    assert times == [at(start + one).strftime("%Y-%m-%dT%H:%M:%SZ") for one in (300, 600)]
    after = [json.loads(message.body)["time"] for message in again.messages("q")][2:]
    assert after == [at(start + 1500).strftime("%Y-%m-%dT%H:%M:%SZ")]


async def test_a_tick_that_was_not_due_comes_at_its_time(bench: Bench, kill: Kill) -> None:
    """Counted from before the kill; a disabled schedule does not start."""
    arn = bench.queue("q")
    for name in ("tick", "off"):
        bench.call("PutRule", Name=name, ScheduleExpression="rate(5 minutes)")
        bench.call("PutTargets", Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    bench.call("DisableRule", Name="off")
    bench.clock.advance(100)

    again = await kill(bench, down_s=100)
    again.clock.advance(99)
    before = len(again.messages("q"))
    again.clock.advance(1)

    assert (before, len(again.messages("q"))) == (0, 1)


# Archives and replays

MANY = 500  # events: several blocks of an archive
DAY_S = 86_400


def archive(bench: Bench, **given: Any) -> None:
    """Create the archive "a" of the default bus, whose rule "r" sends replayed events to the queue "q"."""
    bench.call("CreateArchive", ArchiveName="a", EventSourceArn=DEFAULT_ARN, **given)
    bench.call("PutRule", Name="r", EventPattern='{"source": ["s"], "replay-name": [{"exists": true}]}')
    bench.call("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": bench.queue("q")}])


DEFAULT_ARN = "arn:aws:events:us-east-1:000000000000:event-bus/default"


def replay(bench: Bench, start: float, end: float, name: str = "one") -> None:
    """Start a replay of the events between two times."""
    times: dict[str, Any] = {"EventStartTime": at(start), "EventEndTime": at(end)}
    bench.call("StartReplay", ReplayName=name, EventSourceArn=ARCHIVE_ARN, Destination={"Arn": DEFAULT_ARN}, **times)


def archived(bench: Bench) -> tuple[int, int]:
    """Return the number and the size of the events in the archive."""
    described = bench.call("DescribeArchive", ArchiveName="a")
    return described["EventCount"], described["SizeBytes"]


def replayed(bench: Bench) -> list[float]:
    """Replay everything, and return the times of the events in the order of their replay."""
    before = len(bench.messages("q"))
    replay(bench, 0, 4e9, f"all-{bench.clock.now()}")
    bench.clock.advance(60)
    return [one["at"] for one in received(bench)[before:]]


async def test_archived_events_are_kept(bench: Bench, kill: Kill) -> None:
    """Those of full blocks and of the open one, also those that come after a restart, in order."""
    archive(bench)
    times = [bench.clock.now() + number / 4 for number in range(MANY)]
    for first in range(0, MANY, 10):
        put_at(bench, *times[first : first + 10])
        await asyncio.sleep(0)
    counted = archived(bench)

    again = await kill(bench)
    assert archived(again) == counted
    put_at(again, *times[:3])
    third = await kill(again)

    assert archived(third)[0] == MANY + 3
    assert replayed(third) == sorted([*times, *times[:3]], key=lambda time: int(time // 60))


async def test_expired_events_do_not_come_back(bench: Bench, kill: Kill) -> None:
    """Also when the retention period is longer after the restart."""
    archive(bench, RetentionDays=1)
    times = [bench.clock.now() + number for number in range(MANY)]
    for time in times:
        bench.clock.advance(1)
        put_at(bench, time)
    bench.clock.advance(DAY_S - MANY + 130)
    counted = archived(bench)

    again = await kill(bench)
    again.call("UpdateArchive", ArchiveName="a", RetentionDays=0)

    assert archived(again) == counted
    assert replayed(again) == times[130:]


async def test_a_deleted_archive_does_not_come_back(bench: Bench, kill: Kill) -> None:
    """One that is created with its name is empty."""
    archive(bench)
    put_at(bench, *[bench.clock.now()] * 10)
    bench.call("DeleteArchive", ArchiveName="a")
    bench.call("CreateArchive", ArchiveName="a", EventSourceArn=DEFAULT_ARN)

    again = await kill(bench)

    assert archived(again) == (0, 0)
    assert replayed(again) == []


async def test_a_running_replay_goes_on_where_it_was(bench: Bench, kill: Kill) -> None:
    """Each event is replayed, minute by minute, although all have expired meanwhile."""
    archive(bench, RetentionDays=1)
    start = bench.clock.now() // 60 * 60
    times = [start + 60 * minute + second for minute in range(5) for second in range(3)]
    put_at(bench, *times)
    bench.clock.advance(DAY_S - 1)
    replay(bench, start, start + 600)
    bench.clock.advance(2.5)
    assert archived(bench) == (0, 0)

    again = await kill(bench)
    running = again.call("DescribeReplay", ReplayName="one")
    put_at(again, start)  # it was not in the archive when the replay started
    again.clock.advance(3)

    assert (running["State"], running["EventLastReplayedTime"]) == ("RUNNING", times[5])
    assert received(again) == [{"at": time} for time in times]
    assert again.call("DescribeReplay", ReplayName="one")["State"] == "COMPLETED"
    assert archived(again)[0] == 1
    rows = "SELECT count(*) FROM archived_events"
    assert isinstance(again.storage, DurableStorage)
    again.storage.commit()
    assert again.storage.connection.execute(rows).fetchone() == (1,)


async def test_a_cancelled_replay_ends(bench: Bench, kill: Kill) -> None:
    """It publishes nothing more."""
    archive(bench)
    put_at(bench, bench.clock.now())
    replay(bench, 0, 4e9)
    bench.call("CancelReplay", ReplayName="one")

    again = await kill(bench)
    again.clock.advance(2)

    assert again.call("DescribeReplay", ReplayName="one")["State"] == "CANCELLED"
    assert received(again) == []


async def test_a_replay_of_a_deleted_archive_fails(bench: Bench, kill: Kill) -> None:
    """With the reason, also if the engine is killed in between."""
    archive(bench)
    put_at(bench, bench.clock.now())
    replay(bench, 0, 4e9)
    bench.call("DeleteArchive", ArchiveName="a")

    again = await kill(bench)
    for engine in (bench, again):
        engine.clock.advance(2)

    described = again.call("DescribeReplay", ReplayName="one")
    assert (described["State"], described["StateReason"]) == (
        "FAILED",
        "The archive was deleted before its events were replayed.",
    )


async def test_the_file_of_an_archive_is_smaller_than_its_events(bench: Bench) -> None:
    """Full blocks are compressed, and the rows that they replace leave room for the next."""
    archive(bench)
    storage = bench.storage
    assert isinstance(storage, DurableStorage)
    for _ in range(60):
        put_at(bench, *[bench.clock.now()] * 10)
        bench.put(json.dumps({"random": [new_id() for _ in range(200)]}))
        storage.commit()

    pages, page_bytes = (
        storage.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )
    assert pages * page_bytes < archived(bench)[1]


# Connections and deliveries


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    """A web server."""
    server = Elsewhere()
    await server.start()
    yield server
    await server.stop()


OAUTH = {"ClientParameters": {"ClientID": "i", "ClientSecret": "s"}, "HttpMethod": "POST"}


def destination(bench: Bench, url: str, **given: Any) -> str:
    """Create an API destination at this URL, with OAuth, as the target of every event, and return its ARN."""
    oauth = {"OAuthParameters": {**OAUTH, "AuthorizationEndpoint": f"{url}/token"}}
    kind = "OAUTH_CLIENT_CREDENTIALS"
    connection = bench.call("CreateConnection", Name="c", AuthorizationType=kind, AuthParameters=oauth)["ConnectionArn"]
    given = {"InvocationEndpoint": f"{url}/in", "HttpMethod": "POST", **given}
    arn = bench.call("CreateApiDestination", Name="d", ConnectionArn=connection, **given)["ApiDestinationArn"]
    bench.rule({"Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/r"})
    return str(arn)


async def noted(bench: Bench, event: str, times: int = 1) -> None:
    """Wait until the journal has an entry so many times."""
    async with asyncio.timeout(5):
        while len(list(bench.journal.entries(event=event))) < times:  # noqa: ASYNC110 (the journal is the condition)
            await asyncio.sleep(0)


def authorized(url_path: str = "/token", status: int = 200) -> Callable[[Any], tuple[int, Any]]:
    """Return an endpoint that gives tokens, and otherwise answers with a status."""
    return lambda request: (200, {"access_token": "t"}) if request.path == url_path else (status, {})


async def test_a_token_is_used_after_a_restart(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """And fetched again once the endpoint rejects it."""
    elsewhere.answer = authorized()
    destination(bench, elsewhere.url)
    bench.put()
    await noted(bench, "delivered")

    again = await kill(bench)
    again.put()
    await noted(again, "delivered")
    elsewhere.answer = authorized(status=401)
    again.put()
    await noted(again, "retry_scheduled")
    third = await kill(again)
    elsewhere.answer = authorized()
    third.clock.advance(1)
    await noted(third, "delivered")

    assert [path for _, path in elsewhere.paths()] == ["/token", "/in", "/in", "/in", "/token", "/in"]
    assert third.call("DescribeConnection", Name="c")["ConnectionState"] == "AUTHORIZED"


async def test_an_authorization_under_way_goes_on(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """A connection does not stay AUTHORIZING."""
    elsewhere.answer = authorized()
    destination(bench, elsewhere.url)

    again = await kill(bench)
    async with asyncio.timeout(5):
        while again.call("DescribeConnection", Name="c")["ConnectionState"] != "AUTHORIZED":  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_delivery_that_had_not_begun_is_made(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """The rate limit lets one call a second through: the others wait, through the kill, and each comes."""
    elsewhere.answer = authorized()
    destination(bench, elsewhere.url, InvocationRateLimitPerSecond=1)
    events = {bench.put() for _ in range(4)}

    again = await kill(bench)
    for number in range(4):
        await noted(again, "delivered", number + 1)
        again.clock.advance(1)

    bodies = [json.loads(request.body) for request in elsewhere.requests if request.path == "/in"]
    assert {body["id"] for body in bodies} == events
    third = await kill(again)
    assert list(third.storage.records("events.delivery")) == []


async def test_a_retry_comes_at_its_time(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """With the count of those before, also when its rule is gone; then it is dead-lettered."""
    elsewhere.answer = authorized(status=503)
    dead = bench.queue("dead")
    arn = destination(bench, elsewhere.url)
    given = {"Id": "0", "Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/r", "DeadLetterConfig": {"Arn": dead}}
    bench.call("PutTargets", Rule="r", Targets=[{**given, "RetryPolicy": {"MaximumRetryAttempts": 2}}])
    event_id = bench.put()
    await noted(bench, "retry_scheduled")
    bench.clock.advance(1)
    await noted(bench, "retry_scheduled", 2)
    bench.call("RemoveTargets", Rule="r", Ids=["0"])
    bench.call("DeleteRule", Name="r")

    again = await kill(bench)
    calls = len(elsewhere.requests)
    again.clock.advance(0.5)
    assert len(elsewhere.requests) == calls
    again.clock.advance(2)
    await noted(again, "dead_lettered")

    (letter,) = again.messages("dead")
    assert json.loads(letter.body)["id"] == event_id
    assert letter.attributes["RETRY_ATTEMPTS"]["StringValue"] == "2"
