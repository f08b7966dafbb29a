"""Fakes of AWS: a topic as strict as SNS, and a table that checks conditions."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from orderboard_contracts.alert import Alert, parse_alert
from orderboard_contracts.events import Event

TOPIC_ARN = "arn:aws:sns:eu-central-1:000000000000:cafe-alerts"


@dataclass
class FakeTopic:
    """SNS with its publish operation, which rejects the subjects that SNS rejects."""

    published: list[dict[str, Any]] = field(default_factory=list)
    failures_left: int = 0

    def publish(self, **request: Any) -> dict[str, str]:
        """Store the request, or fail like an endpoint that does not respond."""
        if self.failures_left:
            self.failures_left -= 1
            raise ReadTimeoutError(endpoint_url="http://sns.test")
        subject = request["Subject"]
        if not (subject.isascii() and subject.isprintable() and 0 < len(subject) < 100 and not subject.startswith(" ")):
            raise ClientError({"Error": {"Code": "InvalidParameter", "Message": "Subject"}}, "Publish")
        self.published.append(request)
        return {"MessageId": f"sns-{len(self.published)}"}

    @property
    def alerts(self) -> list[Alert]:
        """Alerts that a queue with raw delivery has received."""
        return [parse_alert(json.loads(request["Message"])["default"]) for request in self.published]


@dataclass
class FakeTable:
    """DynamoDB with the operations that idempotency records need."""

    items: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    update_failures_left: int = 0

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Write the record unless another one holds the key: the request's condition, evaluated."""
        key, values = request["Item"]["id"]["S"], request["ExpressionAttributeValues"]
        held = self.items.get(key)
        if held and not self._may_be_replaced(held, values):
            error = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "held"}, "Item": held}
            raise ClientError(error, "PutItem")  # type: ignore[arg-type]
        self.items[key] = request["Item"]
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Complete the record, or fail like a throttling table."""
        if self.update_failures_left:
            self.update_failures_left -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "UpdateItem")
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        item = self.items[request["Key"]["id"]["S"]]
        item |= {names[f"#{name}"]: values[f":{name}"] for name in ("response_data", "expiry", "status")}
        return {}

    def delete_item(self, **request: Any) -> dict[str, Any]:
        """Delete the record."""
        self.items.pop(request["Key"]["id"]["S"], None)
        return {}

    def let_invocation_time_out(self) -> None:
        """Move every record's in-progress deadline into the past."""
        for item in self.items.values():
            item["in_progress_expiration"] = {"N": "1"}

    def complete(self, message_id: str) -> None:
        """Complete every record in progress, as its invocation would after the publish."""
        done = {"status": {"S": "COMPLETED"}, "data": {"S": json.dumps({"message_id": message_id})}}
        for item in self.items.values():
            item.update(done)

    @staticmethod
    def _may_be_replaced(held: dict[str, dict[str, str]], values: dict[str, dict[str, str]]) -> bool:
        expired = int(held["expiration"]["N"]) < int(values[":now"]["N"])
        in_progress = held["status"] == values[":inprogress"]
        overdue = in_progress and int(held["in_progress_expiration"]["N"]) < int(values[":now_in_millis"]["N"])
        return expired or overdue


@dataclass
class FakeContext:
    """Lambda's context. `remaining_ms` lists the results of successive calls; the last one repeats."""

    remaining_ms: list[int] = field(default_factory=lambda: [10_000])

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time of the invocation."""
        return self.remaining_ms.pop(0) if len(self.remaining_ms) > 1 else self.remaining_ms[0]


def bus_message(event: Event) -> str:
    """The message body that a rule puts on the alerts queue; as on EventBridge, every delivery has another id."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": event.type,
            "source": event.source,
            "account": "000000000000",
            "time": "2026-01-05T08:30:00Z",
            "region": "eu-central-1",
            "resources": [],
            "detail": json.loads(event.to_json()),
        }
    )


def sqs_batch(bodies: Sequence[str]) -> dict[str, Any]:
    """A Lambda event of messages m0, m1, ... with these bodies."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:cafe-alerts",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def failed_ids(response: Any) -> list[str]:
    """Message ids that the notifier returns to SQS."""
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]
