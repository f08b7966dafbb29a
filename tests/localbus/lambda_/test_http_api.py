"""The API of event source mappings over HTTP, by boto3 and by hand.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and its neighbours
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from botocore.exceptions import ClientError
from localbus.engine import Engine, Options
from localbus.protocol.service import Caller
from localbus.pytest_plugin import Localbus
from support.fake_lambda import FUNCTION_ARN, QUEUE_ARN, FakeLambda

PATH = "/2015-03-31/event-source-mappings"
GIVEN = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"}
UNKNOWN = "00000000-0000-0000-0000-000000000000"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0"
}


@asynccontextmanager
async def engine() -> AsyncIterator[tuple[httpx.AsyncClient, FakeLambda]]:
    """Yield a client that signs for Lambda, of an engine with a queue, and its upstream."""
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


async def test_a_mapping_over_http() -> None:
    """A mapping is created, shown, changed, listed and deleted with AWS's paths, statuses and states."""
    async with engine() as (client, _):
        made = await client.post(f"{PATH}/", json=GIVEN)
        uuid = made.json()["UUID"]
        shown = await client.get(f"{PATH}/{uuid}")
        changed = await client.put(f"{PATH}/{uuid}", json={"BatchSize": 3})
        listed = await client.get(PATH, params={"EventSourceArn": QUEUE_ARN})
        deleted = await client.delete(f"{PATH}/{uuid}")
        gone = await client.get(f"{PATH}/{uuid}")

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
    """An error has its code in a header, and its message in the member that the model defines."""
    async with engine() as (client, _):
        invalid = await client.post(PATH, json={"EventSourceArn": QUEUE_ARN, "FunctionName": "nobody"})
        broken = await client.post(PATH, content="{")
        wrong = await client.post(PATH, json={"FunctionName": 5})
        missing = await client.post(PATH, json={"EventSourceArn": QUEUE_ARN})
        many = await client.get(PATH, params={"MaxItems": "many"})

    assert invalid.status_code == 400
    assert invalid.headers["x-amzn-errortype"] == "InvalidParameterValueException"
    assert invalid.json() == {"Type": "User", "message": "Function does not exist"}
    for answer in (broken, wrong, many):
        assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "InvalidRequestContentException")
    text = "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: "
    assert missing.json() == {"message": f"{text}Member must not be null"}  # without a type (recorded from AWS)


def test_boto3(localbus: Localbus) -> None:
    """The SDK's client lists mappings, and raises the exceptions of the model."""
    client = localbus.client("lambda")

    assert client.list_event_source_mappings()["EventSourceMappings"] == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_event_source_mapping(UUID=UNKNOWN)
    arn = f"arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{UNKNOWN}"
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"Event source mapping not found: {arn}"):
        client.list_tags(Resource=arn)
    with pytest.raises(ClientError, match="without an upstream: start it with --upstream"):
        client.create_event_source_mapping(**GIVEN)


async def test_other_paths_of_lambda_are_proxied() -> None:
    """Functions, and the tags of functions, are only at the upstream."""
    async with engine() as (client, functions):
        functions.other = lambda request: (200, {"path": request.target})

        for target in ("/2015-03-31/functions/?MaxItems=5", f"/2017-03-31/tags/{FUNCTION_ARN}", "/2018-10-31/layers"):
            assert (await client.get(target)).json() == {"path": target}


async def test_tags() -> None:
    """A mapping's tags are set on creation, added, listed and removed by its ARN."""
    async with engine() as (client, _):
        given = {**GIVEN, "Tags": {"team": "bar"}}
        made = await client.post(PATH, json=given)
        path = f"/2017-03-31/tags/{made.json()['EventSourceMappingArn']}"

        added = await client.post(path, json={"Tags": {"stage": "test", "old": "yes"}})
        removed = await client.delete(path, params={"tagKeys": ["old", "team"]})
        listed = await client.get(path)

        refused = [
            await client.post(path, json={"Tags": tags}) for tags in ({}, {str(number): "" for number in range(50)})
        ]

    assert (added.status_code, removed.status_code) == (204, 204)
    assert listed.json() == {"Tags": {"stage": "test"}}
    assert [(answer.status_code, answer.json()["message"]) for answer in refused] == [
        (400, "An error occurred and the request cannot be processed."),
        (400, "Number of tags exceeds resource tag limit."),
    ]  # recorded from AWS


async def test_mappings_of_another_region_are_missing() -> None:
    """A mapping is found in its account and region only."""
    async with engine() as (client, _):
        made = await client.post(PATH, json=GIVEN)
        elsewhere = {"Authorization": SIGNED["Authorization"].replace("us-east-1", "eu-west-1")}
        answer = await client.get(f"{PATH}/{made.json()['UUID']}", headers=elsewhere)

    assert answer.status_code == 404
