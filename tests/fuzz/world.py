"""An engine under a manual clock, with its data in a folder, in which every action has something to act on."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from fuzz.dynamodb_examples import DEFINITION, ITEM, SPARE, TABLE
from fuzz.examples import ACCOUNT, AUTH, FILTER_POLICY, PATTERN, QUEUE_URL, TARGET, TEMPLATE, Embedded, arn, policy
from fuzz.wire import request_of
from localbus.clock import ManualClock
from localbus.engine import Engine, Options
from localbus.http.message import Request, Response

_XML_VALUE = r"<{0}>([^<]*)</{0}>"


class World:
    """The engine, and by `$name` what exists in it."""

    def __init__(self, upstream: str | None = None) -> None:
        self.clock = ManualClock()
        self._folder = tempfile.TemporaryDirectory()
        self.engine = Engine(Options(upstream=upstream, data=Path(self._folder.name)), self.clock)
        self.names: dict[str, Any] = {}
        self.requests = 0

    async def answer(self, request: Request, advance_s: float = 1) -> Response:
        """Return the response, a long poll's after its full time, and let scheduled work run."""
        self.requests += 1
        response = self.engine.router.handle(request)
        if not isinstance(response, Response):
            waiting = asyncio.ensure_future(response)
            for _ in range(3):
                await asyncio.sleep(0)
            if not waiting.done():
                self.clock.advance(20)
            response = await asyncio.wait_for(waiting, 20)
        if not isinstance(response.body, bytes):
            response.body = b"".join([piece async for piece in response.body])
        self.clock.advance(advance_s)
        await asyncio.sleep(0)
        return response

    async def call(self, service: str, action: str, **params: Any) -> bytes:
        """Call an action that must succeed, and return the body of the answer."""
        response = await self.answer(request_of(service, action, self.filled(params)))
        assert isinstance(response.body, bytes)
        assert response.status < 300, (service, action, response.body)
        return response.body

    def filled(self, value: Any) -> Any:
        """Return a value with each `$name` replaced."""
        match value:
            case str() if value.startswith("$"):
                return self.names.get(value, value)
            case Embedded():
                return Embedded(self.filled(value.value))
            case dict():
                return {key: self.filled(item) for key, item in value.items()}
            case list():
                return [self.filled(item) for item in value]
        return value

    async def stop(self) -> None:
        """End all background work."""
        await self.engine.stop()
        self._folder.cleanup()

    async def prepare(self) -> None:
        """Create the resources of all services."""
        await self._prepare_sqs()
        await self._prepare_sns()
        await self._prepare_events()
        await self._prepare_dynamodb()
        body = await self.call("cloudformation", "CreateStack", StackName="s", TemplateBody=TEMPLATE)
        for _ in range(50):
            self.clock.advance(1)
            await asyncio.sleep(0)
        assert body
        await self.call(
            "cloudformation",
            "CreateChangeSet",
            StackName="s",
            ChangeSetName="c",
            TemplateBody=TEMPLATE,
            Parameters=[{"ParameterKey": "Delay", "ParameterValue": "7"}],
        )
        if self.engine.options.upstream:
            document = json.loads(
                await self.call(
                    "lambda",
                    "CreateEventSourceMapping",
                    EventSourceArn=arn("sqs", "q"),
                    FunctionName="barista",
                    Enabled=False,
                )
            )
            self.names |= {"$mapping": document["UUID"], "$mapping_arn": document["EventSourceMappingArn"]}

    async def _prepare_sqs(self) -> None:
        for name in ("dlq", "other", "dlq2"):
            await self.call("sqs", "CreateQueue", QueueName=name)
        redrive = Embedded({"deadLetterTargetArn": arn("sqs", "dlq"), "maxReceiveCount": 100})
        attributes = {"Policy": policy("sqs", "q", "SendMessage"), "RedrivePolicy": redrive}
        await self.call("sqs", "CreateQueue", QueueName="q", Attributes=attributes, tags={"team": "bar"})
        redrive = Embedded({"deadLetterTargetArn": arn("sqs", "dlq2"), "maxReceiveCount": 100})
        await self.call(
            "sqs",
            "SetQueueAttributes",
            QueueUrl=QUEUE_URL.replace("/q", "/other"),
            Attributes={"RedrivePolicy": redrive},
        )
        await self.call(
            "sqs",
            "CreateQueue",
            QueueName="q.fifo",
            Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
        )
        for _ in range(3):
            await self.call("sqs", "SendMessage", QueueUrl=QUEUE_URL, MessageBody="tea")
            await self.call("sqs", "SendMessage", QueueUrl=f"http://localhost/{ACCOUNT}/dlq", MessageBody="tea")
        received = json.loads(await self.call("sqs", "ReceiveMessage", QueueUrl=QUEUE_URL, VisibilityTimeout=43200))
        self.names["$handle"] = received["Messages"][0]["ReceiptHandle"]
        moving = await self.call(
            "sqs", "StartMessageMoveTask", SourceArn=arn("sqs", "dlq"), MaxNumberOfMessagesPerSecond=1
        )
        self.names["$task"] = json.loads(moving)["TaskHandle"]

    async def _prepare_sns(self) -> None:
        await self.call(
            "sns",
            "CreateTopic",
            Name="t",
            Attributes={"Policy": policy("sns", "t", "Publish")},
            Tags=[{"Key": "team", "Value": "bar"}],
        )
        await self.call("sns", "CreateTopic", Name="t.fifo", Attributes={"FifoTopic": "true"})
        subscribed = await self.call(
            "sns",
            "Subscribe",
            TopicArn=arn("sns", "t"),
            Protocol="sqs",
            Endpoint=arn("sqs", "q"),
            Attributes={"FilterPolicy": FILTER_POLICY},
        )
        self.names["$subscription"] = _element(subscribed, "SubscriptionArn")
        made = await self.call(
            "sns", "CreatePlatformApplication", Name="p", Platform="GCM", Attributes={"PlatformCredential": "key"}
        )
        self.names["$application"] = _element(made, "PlatformApplicationArn")
        made = await self.call("sns", "CreatePlatformEndpoint", PlatformApplicationArn="$application", Token="token")
        self.names["$endpoint"] = _element(made, "EndpointArn")

    async def _prepare_events(self) -> None:
        await self.call("events", "CreateEventBus", Name="b")
        for name in ("r", "spare"):
            await self.call(
                "events",
                "PutRule",
                Name=name,
                EventPattern=PATTERN,
                Tags=[{"Key": "team", "Value": "bar"}] if name == "r" else [],
            )
        await self.call("events", "PutTargets", Rule="r", Targets=[TARGET])
        await self.call(
            "events", "PutPermission", Action="events:PutEvents", Principal="111111111111", StatementId="one"
        )
        bus = arn("events", "event-bus/default")
        kept = json.loads(await self.call("events", "CreateArchive", ArchiveName="kept", EventSourceArn=bus))
        self.names["$archive"] = kept["ArchiveArn"]
        for name in ("c", "spare"):
            made = json.loads(
                await self.call(
                    "events", "CreateConnection", Name=name, AuthorizationType="API_KEY", AuthParameters=AUTH
                )
            )
            self.names.setdefault("$connection", made["ConnectionArn"])
        made = json.loads(
            await self.call(
                "events",
                "CreateApiDestination",
                Name="d",
                ConnectionArn="$connection",
                InvocationEndpoint="https://127.0.0.1:9/x/*",
                HttpMethod="POST",
            )
        )
        self.names["$destination"] = made["ApiDestinationArn"]
        await self.call(
            "events",
            "StartReplay",
            ReplayName="replayed",
            EventSourceArn="$archive",
            EventStartTime=1_600_000_000,
            EventEndTime=1_600_000_001,
            Destination={"Arn": bus},
        )

    async def _prepare_dynamodb(self) -> None:
        for name in (TABLE, SPARE):
            await self.call("dynamodb", "CreateTable", TableName=name, **DEFINITION)
            await self.call("dynamodb", "PutItem", TableName=name, Item=ITEM)
        recovery = {"PointInTimeRecoveryEnabled": True}
        self.names["$restorable"] = self.clock.now()
        await self.call(
            "dynamodb", "UpdateContinuousBackups", TableName=TABLE, PointInTimeRecoverySpecification=recovery
        )
        expiry = {"Enabled": True, "AttributeName": "expires"}
        await self.call("dynamodb", "UpdateTimeToLive", TableName=TABLE, TimeToLiveSpecification=expiry)
        made = json.loads(await self.call("dynamodb", "CreateBackup", TableName=TABLE, BackupName="first"))
        self.names |= {"$table_arn": arn("dynamodb", f"table/{TABLE}"), "$backup": made["BackupDetails"]["BackupArn"]}


def _element(body: bytes, name: str) -> str:
    found = re.search(_XML_VALUE.format(name), body.decode())
    assert found is not None, body
    return found[1]
