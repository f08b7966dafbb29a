"""EventBridge after a kill: each change of a resource is kept, and schedules go on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from localbus.storage.documents import decode, encode
from support.events import QUEUE_ARN, Bench
from support.killed_events import Kill, at

OTHER = "123456789012"
EVERYTHING = '{"source":[{"prefix":""}]}'


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
