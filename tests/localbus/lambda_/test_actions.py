"""The actions on event source mappings: validation, states, lists, and what is the upstream's, with AWS's errors.

Sources: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and its neighbours, and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.errors import AwsError
from localbus.http.message import Request
from support.fake_lambda import FUNCTION_ARN, QUEUE_ARN, MappingBench

PATH = "/2015-03-31/event-source-mappings"
GIVEN = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"}
STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
UNKNOWN = "00000000-0000-0000-0000-000000000000"
CHANGE = "UpdateEventSourceMapping"


async def refused(bench: MappingBench, action: str = "CreateEventSourceMapping", **given: Any) -> AwsError:
    """Return the error of a request that is rejected."""
    params = GIVEN if action.startswith("Create") else {}
    with pytest.raises(AwsError) as caught:
        await bench.call(action, **(params | given))
    return caught.value


@pytest.mark.parametrize("name", ["barista", FUNCTION_ARN, "000000000000:function:barista"])
async def test_names_of_a_function(bench: MappingBench, name: str) -> None:
    """A function is given by its name, its ARN or a part of that."""

    made = await bench.call("CreateEventSourceMapping", EventSourceArn=QUEUE_ARN, FunctionName=name)

    assert made["FunctionArn"] == FUNCTION_ARN


async def test_a_qualified_function(bench: MappingBench) -> None:
    """The mapping of an alias or a version invokes exactly that."""
    alias = f"{FUNCTION_ARN}:live"
    bench.functions.functions[alias] = lambda _event: None
    del bench.functions.functions[FUNCTION_ARN]
    await bench.map(FunctionName="barista:live")

    bench.send("a")
    await bench.invoked(1)

    assert bench.functions.bodies() == [["a"]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"FunctionName": "nobody"}, "Function does not exist"),
        ({"FunctionName": "no/function"}, "failed to satisfy constraint"),
        ({"EventSourceArn": f"{QUEUE_ARN}-other"}, "AWS.SimpleQueueService.NonExistentQueue"),
        ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
        ({"BatchSize": 0}, "greater than or equal to 1"),
        ({"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "less than or equal to 10000"),
        ({"MaximumBatchingWindowInSeconds": 301}, "less than or equal to 300"),
        ({"EventSourceArn": f"{QUEUE_ARN}.fifo", "BatchSize": 11}, "must not exceed 10 for FIFO"),
        ({"EventSourceArn": f"{QUEUE_ARN}.fifo", "MaximumBatchingWindowInSeconds": 1}, "not supported for FIFO"),
        ({"ScalingConfig": {"MaximumConcurrency": 1}}, "greater than or equal to 2"),
        ({"ScalingConfig": {"MaximumConcurrency": 1001}}, "less than or equal to 1000"),
        ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
        ({"DestinationConfig": {"OnSuccess": {"Destination": QUEUE_ARN}}}, "Unsupported DestinationConfig parameter"),
        ({"FunctionResponseTypes": ["Everything"]}, "enum value set"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, "Invalid filter pattern definition."),
        ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["a"]}'}] * 6}}, "at most 5 filters"),
    ],
)
async def test_invalid_mappings(bench: MappingBench, given: dict[str, Any], message: str) -> None:
    """Each rule is enforced with AWS's message, and nothing is created."""
    bench.queue("work.fifo")

    error = await refused(bench, **given)

    assert message in error.message
    assert error.code in {"InvalidParameterValueException", "ValidationException"}
    assert list(bench.mappings) == []


async def test_a_mapping_needs_a_source(bench: MappingBench) -> None:
    """A request without an event source is rejected here (recorded of AWS)."""
    with pytest.raises(AwsError) as caught:
        await bench.call("CreateEventSourceMapping", FunctionName=FUNCTION_ARN)

    assert (caught.value.code, caught.value.message) == (
        "InvalidParameterValueException",
        "Unrecognized event source.",
    )


async def test_parameters_that_are_not_implemented(bench: MappingBench) -> None:
    """Provisioned pollers, log levels and keys return NotImplemented, never a silent success."""

    error = await refused(bench, ProvisionedPollerConfig={"MinimumPollers": 2})

    assert (error.code, "ProvisionedPollerConfig" in error.message) == ("NotImplemented", True)


async def test_a_function_must_end_before_its_messages_are_visible_again(bench: MappingBench) -> None:
    """A visibility timeout shorter than the function's timeout is rejected, on creation and on change."""
    slow = f"{FUNCTION_ARN}-slow"
    bench.functions.functions[slow] = lambda _event: None
    bench.functions.timeouts_s[slow] = 60

    created = await refused(bench, FunctionName="barista-slow")
    uuid = await bench.map()
    changed = await refused(bench, CHANGE, UUID=uuid, FunctionName="barista-slow")

    wanted = "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    assert created.message == changed.message == wanted


async def test_a_queue_is_mapped_once_to_a_function(bench: MappingBench) -> None:
    """A second mapping of a queue to the same function conflicts with the first; one to another function does not."""
    other = f"{FUNCTION_ARN}-other"
    bench.functions.functions[other] = lambda _event: None
    uuid = await bench.map()

    conflict = await refused(bench)
    second = await bench.map(FunctionName="barista-other")
    moved = await refused(bench, CHANGE, UUID=second, FunctionName="barista")

    assert conflict.code == moved.code == "ResourceConflictException"
    assert conflict.message.endswith(f"already exists. Please update or delete the existing mapping with UUID {uuid}")


async def test_a_mapping_in_transition_is_in_use(bench: MappingBench) -> None:
    """During one change another is rejected."""
    made = await bench.call("CreateEventSourceMapping", **GIVEN)

    changed = await refused(bench, CHANGE, UUID=made["UUID"], BatchSize=1)
    deleted = await refused(bench, "DeleteEventSourceMapping", UUID=made["UUID"])

    assert changed.code == deleted.code == "ResourceInUseException"


async def test_a_mapping_can_be_created_disabled(bench: MappingBench) -> None:
    """With Enabled false the mapping stays Disabled, also after a change, and receives nothing."""
    uuid = await bench.map(Enabled=False)
    bench.send("a")
    await bench.quiet()

    assert await bench.settled(uuid) == "Disabled"
    await bench.call(CHANGE, UUID=uuid, BatchSize=1)
    assert await bench.settled(uuid) == "Disabled"
    assert bench.functions.events == []


async def test_a_mapping_created_disabled_has_no_transition(bench: MappingBench) -> None:
    """The answer has the state Disabled, not Creating (recorded of AWS)."""

    made = await bench.call(
        "CreateEventSourceMapping", EventSourceArn=QUEUE_ARN, FunctionName=FUNCTION_ARN, Enabled=False
    )

    assert made["State"] == "Disabled"


async def test_a_change_keeps_other_settings(bench: MappingBench) -> None:
    """An update changes only its parameters; an empty ScalingConfig and an empty list of filters remove these."""
    criteria = {"Filters": [{"Pattern": '{"body": ["a"]}'}]}
    given = {"BatchSize": 3, "ScalingConfig": {"MaximumConcurrency": 2}, "FilterCriteria": criteria}
    uuid = await bench.map(FunctionResponseTypes=["ReportBatchItemFailures"], **given)

    changed = await bench.call(CHANGE, UUID=uuid, MaximumBatchingWindowInSeconds=1)
    assert {name: changed[name] for name in given} == given
    assert changed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    await bench.settled(uuid)
    changed = await bench.call(CHANGE, UUID=uuid, ScalingConfig={}, FilterCriteria={"Filters": []})

    assert not {"ScalingConfig", "FilterCriteria"} & changed.keys()
    assert changed["BatchSize"] == 3


async def test_a_list_has_the_mappings_of_both_engines(bench: MappingBench) -> None:
    """Mappings of queues and the upstream's of streams are listed together in pages, by source or by function."""
    upstream_s = {"UUID": "5" * 8 + UNKNOWN[8:], "EventSourceArn": STREAM_ARN, "FunctionArn": FUNCTION_ARN}
    bench.functions.other = lambda _request: (200, {"EventSourceMappings": [upstream_s]})
    for name in ("work", "more", "most"):
        bench.queue(name)
    uuids = [await bench.map(EventSourceArn=QUEUE_ARN.replace("work", name)) for name in ("work", "more", "most")]

    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = await bench.call("ListEventSourceMappings", MaxItems=3, **marker)
        assert len(page["EventSourceMappings"]) <= 3
        found += [one["UUID"] for one in page["EventSourceMappings"]]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    of_queue = await bench.call("ListEventSourceMappings", EventSourceArn=QUEUE_ARN)
    of_nobody = await bench.call("ListEventSourceMappings", EventSourceArn=QUEUE_ARN, FunctionName="nobody")

    assert sorted(found) == sorted([*uuids, upstream_s["UUID"]])
    assert [one["UUID"] for one in of_queue["EventSourceMappings"]] == uuids[:1]
    assert of_nobody["EventSourceMappings"] == []


async def test_mappings_of_other_sources_are_the_upstream_s(bench: MappingBench) -> None:
    """The upstream creates, shows, changes and deletes a stream's mapping, and its answers are returned unchanged."""
    document = {"UUID": UNKNOWN, "EventSourceArn": STREAM_ARN, "State": "Enabled", "Unknown": [1]}

    def answer(request: Request) -> tuple[int, Any]:
        return (
            (200, document)
            if request.method != "DELETE"
            else (409, {"message": "busy", "__type": "ResourceInUseException"})
        )

    bench.functions.other = answer
    made = await bench.call(
        "CreateEventSourceMapping", EventSourceArn=STREAM_ARN, FunctionName="barista", StartingPosition="LATEST"
    )
    shown = await bench.call("GetEventSourceMapping", UUID=UNKNOWN)
    changed = await bench.call(CHANGE, UUID=UNKNOWN, BatchSize=5)
    error = await refused(bench, "DeleteEventSourceMapping", UUID=UNKNOWN)

    assert made == shown == changed == document
    assert (error.code, error.message) == ("ResourceInUseException", "busy")
    asked = [(request.method, request.path) for request in bench.functions.proxied]
    assert asked == [
        ("POST", PATH),
        ("GET", f"{PATH}/{UNKNOWN}"),
        ("PUT", f"{PATH}/{UNKNOWN}"),
        ("DELETE", f"{PATH}/{UNKNOWN}"),
    ]
    assert json.loads(bench.functions.proxied[2].body) == {"BatchSize": 5}
