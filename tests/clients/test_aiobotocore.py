"""localbus through aiobotocore, the asyncio client that the services use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
from aiobotocore.session import get_session
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus
from support.policies import policy


class Clients(NamedTuple):
    """A client of each service."""

    sqs: Any
    sns: Any
    events: Any


@pytest.fixture
async def clients(localbus: Localbus) -> AsyncIterator[Clients]:
    """Clients in a region other than the default."""
    given: dict[str, Any] = {
        "endpoint_url": localbus.url,
        "region_name": "eu-central-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    session: Any = get_session()
    async with AsyncExitStack() as open_clients:
        made = [
            await open_clients.enter_async_context(session.create_client(service, **given))
            for service in ("sqs", "sns", "events")
        ]
        yield Clients(*made)


async def test_a_long_poll_beside_other_requests(clients: Clients) -> None:
    """A long poll does not block other requests, and a send of the same client ends it."""
    url = (await clients.sqs.create_queue(QueueName="q"))["QueueUrl"]
    waiting = asyncio.create_task(clients.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))

    await clients.sqs.send_message(QueueUrl=url, MessageBody="b")
    [message] = (await waiting)["Messages"]
    await clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    shown = await clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    assert message["Body"] == "b"
    assert shown["Attributes"]["QueueArn"] == "arn:aws:sqs:eu-central-1:000000000000:q"
    assert shown["Attributes"]["ApproximateNumberOfMessages"] == "0"


async def test_a_topic_and_a_bus_to_one_queue(clients: Clients) -> None:
    """Published messages and put events reach a queue whose policy allows both."""
    arn = "arn:aws:sqs:eu-central-1:000000000000:q"
    allowed = {"Policy": policy("sqs:SendMessage", arn, "sns", "events")}
    url = (await clients.sqs.create_queue(QueueName="q", Attributes=allowed))["QueueUrl"]
    topic = (await clients.sns.create_topic(Name="t"))["TopicArn"]
    await clients.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    await clients.events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    await clients.events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail.who"}])

    await clients.sns.publish(TopicArn=topic, Message="from the topic")
    put = await clients.events.put_events(
        Entries=[{"Source": "shop", "DetailType": "order", "Detail": '{"who": "from the bus"}'}]
    )

    assert put["FailedEntryCount"] == 0
    bodies: list[str] = []
    while len(bodies) < 2:
        answer = await clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        bodies += [message["Body"] for message in answer["Messages"]]
    assert sorted(bodies) == ['"from the bus"', "from the topic"]


async def test_errors(clients: Clients) -> None:
    """An error is the service's exception, with AWS's code."""
    with pytest.raises(clients.sqs.exceptions.QueueDoesNotExist):
        await clients.sqs.get_queue_url(QueueName="none")
    with pytest.raises(ClientError) as raised:
        await clients.sns.publish(TopicArn="arn:aws:sns:eu-central-1:000000000000:none", Message="m")
    assert raised.value.response["Error"]["Code"] == "NotFound"
