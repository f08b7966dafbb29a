"""The API of event source mappings: over HTTP by boto3, with AWS's errors, states, pages and tags.

Sources: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and its neighbours, and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from fake_lambda import FUNCTION_ARN, QUEUE_ARN, Cafe, FakeLambda, cafe
from localbus.engine import Engine, Options
from localbus.errors import AwsError
from localbus.http.message import Request
from localbus.protocol.service import Caller
from localbus.pytest_plugin import Localbus

STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
UNKNOWN = "00000000-0000-0000-0000-000000000000"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0"
}


@asynccontextmanager
async def engine() -> AsyncIterator[tuple[httpx.AsyncClient, FakeLambda]]:
    """An engine before a Lambda service, with a queue, and a client that signs for Lambda."""
    functions = FakeLambda()
    made = Engine(Options(upstream=await functions.start()))
    made.sqs.queues.create("work", {}, {}, Caller())
    url = await made.start()
    async with httpx.AsyncClient(base_url=url, headers=SIGNED) as client:
        try:
            yield client, functions
        finally:
            await made.stop()
            await functions.stop()


async def refused(it: Cafe, action: str = "CreateEventSourceMapping", **given: Any) -> AwsError:
    """The error with which a request is refused."""
    params = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"} if action.startswith("Create") else {}
    with pytest.raises(AwsError) as caught:
        await it.call(action, **(params | given))
    return caught.value


async def test_a_mapping_s_life_over_http() -> None:
    """A mapping is made, shown, changed, listed and deleted with AWS's paths, statuses and states."""
    path = "/2015-03-31/event-source-mappings"
    async with engine() as (client, _):
        made = await client.post(f"{path}/", json={"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"})
        uuid = made.json()["UUID"]
        shown = await client.get(f"{path}/{uuid}")
        changed = await client.put(f"{path}/{uuid}", json={"BatchSize": 3})
        listed = await client.get(path, params={"EventSourceArn": QUEUE_ARN})
        deleted = await client.delete(f"{path}/{uuid}")
        gone = await client.get(f"{path}/{uuid}")

    assert made.status_code == 202
    assert made.json() == {
        "UUID": uuid,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": QUEUE_ARN,
        "FunctionArn": FUNCTION_ARN,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}",
        "FunctionResponseTypes": [],
        "LastModified": made.json()["LastModified"],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert (shown.status_code, shown.json()["State"]) == (200, "Enabled")
    assert (changed.status_code, changed.json()["State"], changed.json()["BatchSize"]) == (202, "Updating", 3)
    assert [one["UUID"] for one in listed.json()["EventSourceMappings"]] == [uuid]
    assert (deleted.status_code, deleted.json()["State"]) == (202, "Deleting")
    assert gone.status_code == 404
    assert gone.headers["x-amzn-errortype"] == "ResourceNotFoundException"


async def test_errors_have_the_form_of_lambda() -> None:
    """An error names its kind in a header, and its message in the member that the model gives it."""
    path = "/2015-03-31/event-source-mappings"
    async with engine() as (client, _):
        invalid = await client.post(path, json={"EventSourceArn": QUEUE_ARN, "FunctionName": "nobody"})
        broken = await client.post(path, content="{")
        wrong = await client.post(path, json={"FunctionName": 5})
        missing = await client.post(path, json={"EventSourceArn": QUEUE_ARN})
        many = await client.get(path, params={"MaxItems": "many"})

    assert invalid.status_code == 400
    assert invalid.headers["x-amzn-errortype"] == "InvalidParameterValueException"
    assert invalid.json() == {"Type": "User", "message": "Function does not exist"}
    for answer in (broken, wrong, many):
        assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "InvalidRequestContentException")
    assert "Value null at 'functionName' failed to satisfy constraint" in missing.json()["message"]


def test_boto3_speaks_to_it(localbus: Localbus) -> None:
    """The SDK's client finds mappings, and its exceptions are those of the model."""
    client = localbus.client("lambda")

    assert client.list_event_source_mappings()["EventSourceMappings"] == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_event_source_mapping(UUID=UNKNOWN)
    with pytest.raises(ClientError, match="without an upstream: start it with --upstream"):
        client.create_event_source_mapping(EventSourceArn=QUEUE_ARN, FunctionName="barista")


@pytest.mark.parametrize("name", ["barista", FUNCTION_ARN, "000000000000:function:barista"])
async def test_a_function_is_named_in_any_of_three_ways(name: str) -> None:
    """By its name, its whole ARN or a part of it."""
    async with cafe() as it:
        it.queue()

        made = await it.call("CreateEventSourceMapping", EventSourceArn=QUEUE_ARN, FunctionName=name)

        assert made["FunctionArn"] == FUNCTION_ARN


async def test_a_qualified_function_is_invoked_as_such() -> None:
    """The mapping of an alias or a version invokes just that."""
    async with cafe() as it:
        it.queue()
        alias = f"{FUNCTION_ARN}:live"
        it.functions.functions[alias] = lambda _event: None
        del it.functions.functions[FUNCTION_ARN]
        await it.map(FunctionName="barista:live")

        it.send("a")
        await it.invoked(1)

        assert it.functions.bodies() == [["a"]]


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
async def test_what_a_mapping_may_not_be(given: dict[str, Any], message: str) -> None:
    """Each rule of a mapping is refused in AWS's words, and nothing is made."""
    async with cafe() as it:
        it.queue()
        it.queue("work.fifo")

        error = await refused(it, **given)

        assert message in error.message
        assert error.code in {"InvalidParameterValueException", "ValidationException"}
        assert list(it.mappings) == []


async def test_a_mapping_needs_a_source() -> None:
    """A request that names no event source at all is refused here (recorded of AWS)."""
    async with cafe() as it:
        with pytest.raises(AwsError) as caught:
            await it.call("CreateEventSourceMapping", FunctionName=FUNCTION_ARN)

        assert (caught.value.code, caught.value.message) == (
            "InvalidParameterValueException",
            "Unrecognized event source.",
        )


async def test_what_is_not_built_is_said() -> None:
    """Provisioned pollers, metrics, log levels and keys answer NotImplemented, never a silent success."""
    async with cafe() as it:
        it.queue()

        error = await refused(it, ProvisionedPollerConfig={"MinimumPollers": 2})

        assert (error.code, "ProvisionedPollerConfig" in error.message) == ("NotImplemented", True)


async def test_a_function_must_end_before_its_messages_are_visible_again() -> None:
    """A queue whose visibility timeout is shorter than the function's timeout is refused, on creation and on change."""
    async with cafe() as it:
        it.queue()
        slow = f"{FUNCTION_ARN}-slow"
        it.functions.functions[slow] = lambda _event: None
        it.functions.timeouts_s[slow] = 60

        created = await refused(it, FunctionName="barista-slow")
        uuid = await it.map()
        changed = await refused(it, "UpdateEventSourceMapping", UUID=uuid, FunctionName="barista-slow")

        wanted = "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
        assert created.message == changed.message == wanted


async def test_a_queue_is_mapped_once_to_a_function() -> None:
    """A second mapping of the same queue and function is a conflict that names the first; another function is none."""
    async with cafe() as it:
        it.queue()
        other = f"{FUNCTION_ARN}-other"
        it.functions.functions[other] = lambda _event: None
        uuid = await it.map()

        conflict = await refused(it)
        second = await it.map(FunctionName="barista-other")
        moved = await refused(it, "UpdateEventSourceMapping", UUID=second, FunctionName="barista")

        assert conflict.code == moved.code == "ResourceConflictException"
        assert conflict.message.endswith(
            f"already exists. Please update or delete the existing mapping with UUID {uuid}"
        )


async def test_a_mapping_in_transition_is_in_use() -> None:
    """While one change is under way another is refused."""
    async with cafe() as it:
        it.queue()
        made = await it.call("CreateEventSourceMapping", EventSourceArn=QUEUE_ARN, FunctionName="barista")

        changed = await refused(it, "UpdateEventSourceMapping", UUID=made["UUID"], BatchSize=1)
        deleted = await refused(it, "DeleteEventSourceMapping", UUID=made["UUID"])

        assert changed.code == deleted.code == "ResourceInUseException"


async def test_a_mapping_may_begin_disabled() -> None:
    """Enabled false on creation leads to Disabled, and nothing is received."""
    async with cafe() as it:
        it.queue()
        uuid = await it.map(Enabled=False)
        it.send("a")
        await it.quiet()

        assert await it.settled(uuid) == "Disabled"
        await it.call("UpdateEventSourceMapping", UUID=uuid, BatchSize=1)
        assert await it.settled(uuid) == "Disabled"
        assert it.functions.events == []


async def test_a_change_keeps_what_it_does_not_name() -> None:
    """An update changes its own members; an empty ScalingConfig and no filters take these away."""
    async with cafe() as it:
        it.queue()
        criteria = {"Filters": [{"Pattern": '{"body": ["a"]}'}]}
        given = {"BatchSize": 3, "ScalingConfig": {"MaximumConcurrency": 2}, "FilterCriteria": criteria}
        uuid = await it.map(FunctionResponseTypes=["ReportBatchItemFailures"], **given)

        changed = await it.call("UpdateEventSourceMapping", UUID=uuid, MaximumBatchingWindowInSeconds=1)
        assert {name: changed[name] for name in given} == given
        assert changed["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        await it.settled(uuid)
        changed = await it.call("UpdateEventSourceMapping", UUID=uuid, ScalingConfig={}, FilterCriteria={"Filters": []})

        assert not {"ScalingConfig", "FilterCriteria"} & changed.keys()
        assert changed["BatchSize"] == 3


async def test_a_list_has_pages_of_both_engines() -> None:
    """Mappings of queues and the upstream's of streams are listed together, page by page, by source or by function."""
    upstream_s = {"UUID": "5" * 8 + UNKNOWN[8:], "EventSourceArn": STREAM_ARN, "FunctionArn": FUNCTION_ARN}
    async with cafe() as it:
        it.functions.other = lambda _request: (200, {"EventSourceMappings": [upstream_s]})
        for name in ("work", "more", "most"):
            it.queue(name)
        uuids = [await it.map(EventSourceArn=QUEUE_ARN.replace("work", name)) for name in ("work", "more", "most")]

        found: list[str] = []
        marker: dict[str, str] = {}
        while True:
            page = await it.call("ListEventSourceMappings", MaxItems=3, **marker)
            assert len(page["EventSourceMappings"]) <= 3
            found += [one["UUID"] for one in page["EventSourceMappings"]]
            if "NextMarker" not in page:
                break
            marker = {"Marker": page["NextMarker"]}
        of_queue = await it.call("ListEventSourceMappings", EventSourceArn=QUEUE_ARN)
        of_nobody = await it.call("ListEventSourceMappings", EventSourceArn=QUEUE_ARN, FunctionName="nobody")

        assert sorted(found) == sorted([*uuids, upstream_s["UUID"]])
        assert [one["UUID"] for one in of_queue["EventSourceMappings"]] == uuids[:1]
        assert of_nobody["EventSourceMappings"] == []


async def test_mappings_of_other_sources_go_upstream() -> None:
    """A stream's mapping is made, shown, changed and deleted by the upstream, whose answers come back as they are."""
    document = {"UUID": UNKNOWN, "EventSourceArn": STREAM_ARN, "State": "Enabled", "Unknown": [1]}

    def answer(request: Request) -> tuple[int, Any]:
        return (
            (200, document)
            if request.method != "DELETE"
            else (409, {"message": "busy", "__type": "ResourceInUseException"})
        )

    async with cafe() as it:
        it.functions.other = answer
        made = await it.call(
            "CreateEventSourceMapping", EventSourceArn=STREAM_ARN, FunctionName="barista", StartingPosition="LATEST"
        )
        shown = await it.call("GetEventSourceMapping", UUID=UNKNOWN)
        changed = await it.call("UpdateEventSourceMapping", UUID=UNKNOWN, BatchSize=5)
        error = await refused(it, "DeleteEventSourceMapping", UUID=UNKNOWN)

        assert made == shown == changed == document
        assert (error.code, error.message) == ("ResourceInUseException", "busy")
        asked = [(request.method, request.path) for request in it.functions.passed_on]
        path = "/2015-03-31/event-source-mappings"
        assert asked == [
            ("POST", path),
            ("GET", f"{path}/{UNKNOWN}"),
            ("PUT", f"{path}/{UNKNOWN}"),
            ("DELETE", f"{path}/{UNKNOWN}"),
        ]
        assert json.loads(it.functions.passed_on[2].body) == {"BatchSize": 5}


async def test_other_paths_of_lambda_go_upstream_unchanged() -> None:
    """Functions, and the tags of functions, are the upstream's alone."""
    async with engine() as (client, functions):
        functions.other = lambda request: (200, {"path": request.target})

        for target in ("/2015-03-31/functions/?MaxItems=5", f"/2017-03-31/tags/{FUNCTION_ARN}", "/2018-10-31/layers"):
            assert (await client.get(target)).json() == {"path": target}


async def test_a_mapping_has_tags() -> None:
    """A mapping's tags are given when it is made, added, listed and taken away by its ARN."""
    async with engine() as (client, _):
        given = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista", "Tags": {"team": "bar"}}
        made = await client.post("/2015-03-31/event-source-mappings", json=given)
        path = f"/2017-03-31/tags/{made.json()['EventSourceMappingArn']}"

        added = await client.post(path, json={"Tags": {"stage": "test", "old": "yes"}})
        removed = await client.delete(path, params={"tagKeys": ["old", "team"]})
        listed = await client.get(path)

    assert (added.status_code, removed.status_code) == (204, 204)
    assert listed.json() == {"Tags": {"stage": "test"}}


async def test_another_account_s_mapping_is_not_there() -> None:
    """Mappings are found by their own account and region only."""
    async with engine() as (client, _):
        made = await client.post(
            "/2015-03-31/event-source-mappings", json={"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"}
        )
        elsewhere = {"Authorization": SIGNED["Authorization"].replace("us-east-1", "eu-west-1")}
        answer = await client.get(f"/2015-03-31/event-source-mappings/{made.json()['UUID']}", headers=elsewhere)

    assert answer.status_code == 404
