"""The embedded backend, whose upstream is a real MiniStack, with queues that collect what arrives."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.local_backend import local_backend
from support.localbus import ACCOUNT, QueueOf
from support.policies import policy
from support.waiting import poll_until

ROLE = f"arn:aws:iam::{ACCOUNT}:role/sender"


class Bench:
    """Clients of one backend, and resources with new names."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = cache(self._client)
        self._numbers = itertools.count(1)

    def _client(self, service: str) -> Any:
        make: Any = boto3.client
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return make(service, endpoint_url=self.url, config=CLIENT_CONFIG, **keys)

    def name(self, suffix: str = "") -> str:
        """Return a new name."""
        return f"n{next(self._numbers)}{suffix}"

    def queue(self, *, allows: str = "", suffix: str = "", **attributes: str) -> QueueOf:
        """Create a queue whose policy allows a service, if any, to send."""
        name = self.name(suffix)
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        if allows:
            attributes["Policy"] = policy("sqs:SendMessage", arn, allows)
        sqs = self.client("sqs")
        return QueueOf(sqs, sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn)

    def topic(self, *, allows: str = "") -> tuple[str, QueueOf]:
        """Create a topic, and a queue that gets its messages raw."""
        sns = self.client("sns")
        name = self.name()
        arn = sns.create_topic(Name=name)["TopicArn"]
        if allows:
            allowed = policy("sns:Publish", arn, allows)
            sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=allowed)
        queue = self.queue(allows="sns")
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
        return arn, queue

    def rule(self, bus: str = "default", **pattern: Any) -> QueueOf:
        """Create a rule, and its bus, whose target is a new queue."""
        events = self.client("events")
        if bus != "default":
            events.create_event_bus(Name=bus)
        queue, name = self.queue(allows="events"), self.name()
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "1", "Arn": queue.arn}])
        return queue

    def failing_function(self, **given: Any) -> str:
        """Create a function that raises, without retries, and return its name."""
        functions, name, code = self.client("lambda"), self.name(), io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("handler.py", "def handle(event, context):\n    raise ValueError('as asked')\n")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler="handler.handle",
            Code={"ZipFile": code.getvalue()},
            **given,
        )
        functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
        return name

    def senders(self, target_arn: str) -> set[str]:
        """Return the senders that the journal names for a queue, topic or bus."""
        query = {"event": "forwarded", "resource": target_arn}
        entries = httpx.get(f"{self.url}/_localbus/journal", params=query).json()["entries"]
        return {entry["detail"]["sender"] for entry in entries}


def arrived(queue: QueueOf, within_s: float = 5) -> list[dict[str, Any]]:
    """Return the messages that arrive first."""
    found: list[dict[str, Any]] = poll_until(queue.receive, within_s)
    return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A backend for the tests of a module."""
    log: Path = tmp_path_factory.mktemp("embedded") / "engine.log"
    with local_backend("embedded", log) as endpoint:
        yield Bench(str(endpoint.endpoint_url))
