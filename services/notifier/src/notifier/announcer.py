"""Says each alert once: one SNS publish, behind an idempotency record in DynamoDB under the event's id.

A message that SQS delivers again, and an event that EventBridge delivers twice, find the record and are not published.
The promise is at least once, and nearly always once. It is twice when the publish succeeded and then

- the function died, or DynamoDB did not answer, before the record said so: the record stays "in progress" until the
  invocation would have timed out, a redelivery before that fails and comes again, one after that publishes; or
- SNS accepted but its answer was lost, and the SDK or a redelivery tried again.

Both copies carry the same alert id, by which a reader tells that they are one.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from orderboard_contracts.alert import Alert, alert_attributes

from notifier.wording import subject_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sns.type_defs import PublishInputTypeDef

# SQS keeps a message 14 days at most, so no copy outlives its record; nor does a replay within that time repeat alerts.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
REMEMBERED_S: Final = 14 * 24 * 60 * 60


@dataclass(frozen=True)
class Announced:
    """The alert is on the topic, under this SNS message id."""

    message_id: str


@dataclass(frozen=True)
class AlreadyAnnounced:
    """An earlier delivery of the event had put the alert on the topic, under this SNS message id."""

    message_id: str


class Announcer:
    """Publishes alerts to one topic."""

    def __init__(self, *, sns: "SNSClient", dynamodb: "DynamoDBClient", topic_arn: str, idempotency_table: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn
        self._config = IdempotencyConfig(
            expires_after_seconds=REMEMBERED_S,
            hash_function="sha256",
            raise_on_no_idempotency_key=True,
            response_hook=_mark_repeated,
        )
        # The prefix replaces the function's name in the key, which a rename of the code must not change.
        self._publish_once = idempotent_function(
            self._publish,
            data_keyword_argument="event_id",
            persistence_store=DynamoDBPersistenceLayer(table_name=idempotency_table, boto3_client=dynamodb),
            config=self._config,
            key_prefix="alert",
        )

    def begin(self, context: "LambdaContext") -> None:
        """Note the invocation: an "in progress" record must not outlive the time that Lambda leaves it."""
        self._config.register_lambda_context(context)

    def announce(self, event_id: str, alert: Alert) -> Announced | AlreadyAnnounced:
        """Publish the alert unless that was done for this event; raise what the SDK or the record's keeper raises."""
        receipt: dict[str, Any] = self._publish_once(event_id=event_id, alert=alert)
        outcome = AlreadyAnnounced if receipt.get("repeated") else Announced
        return outcome(message_id=receipt["message_id"])

    def _publish(self, *, event_id: str, alert: Alert) -> dict[str, str]:
        return {"message_id": self._sns.publish(**publish_request(alert, self._topic_arn))["MessageId"]}


def publish_request(alert: Alert, topic_arn: str) -> "PublishInputTypeDef":
    """The one publish that fans out: JSON for queues, webhooks and mail, the bare text for telephones.

    A mail's subject is the text. Its body stays JSON because its subscription filters by the body, and AWS says only
    that the payload it filters is JSON. https://docs.aws.amazon.com/sns/latest/dg/message-filtering.html
    """
    return {
        "TopicArn": topic_arn,
        "Subject": subject_line(f"[{alert.severity}] {alert.text}"),
        "MessageStructure": "json",
        "Message": json.dumps({"default": alert.to_json(), "sms": alert.text}),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in alert_attributes(alert).items()
        },
    }


def _mark_repeated(response: dict[str, Any], idempotent_data: "DataRecord") -> dict[str, Any]:
    return {**response, "repeated": True}
