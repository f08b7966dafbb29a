"""Idempotent publishing of alerts: one SNS publish behind an idempotency record in DynamoDB, keyed by event id.

A message that SQS redelivers, or an event that EventBridge delivers twice, finds the record and is not published again.
Delivery is at least once, and nearly always once. An alert is published twice when the publish succeeded and then

- the function died, or DynamoDB did not respond, before the record was completed: it stays "in progress" until the
  invocation would have timed out; a redelivery before that time fails and comes again, one after it publishes; or
- the response of SNS was lost, and the SDK or a redelivery tried again.

Both copies have the same alert id, so a reader can detect the duplicate.

Two invocations may also receive copies of one event at once. The second waits for the first's record: a failure would
bring its message back only after the visibility timeout.
"""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from orderboard_contracts.alert import ALERT_TYPE, Alert, alert_attributes
from orderboard_contracts.tracing import Tracing

from notifier.text import subject_line

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_sns.type_defs import PublishInputTypeDef

# SQS keeps a message for 14 days at most, so no copy outlives its record, and replays do not repeat alerts.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
RECORD_LIFE_S: Final = 14 * 24 * 60 * 60
# A publish takes some 10 ms. All of it is less than the time that the invocation reserves for one alert.
IN_PROGRESS_WAITS_S: Final = (0.05, 0.1, 0.2)


_OPERATIONS: Final = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
}


@dataclass(frozen=True)
class Published:
    """The SNS message id of the alert, and whether an earlier delivery of its event published it."""

    message_id: str
    repeated: bool


class AlertPublisher:
    """Publishes alerts to one topic."""

    def __init__(
        self,
        *,
        sns: "SNSClient",
        dynamodb: "DynamoDBClient",
        topic_arn: str,
        idempotency_table: str,
        tracing: Tracing | None = None,
    ) -> None:
        self._sns = sns
        self._tracing = tracing
        self._topic_arn = topic_arn
        self._config = IdempotencyConfig(
            expires_after_seconds=RECORD_LIFE_S,
            hash_function="sha256",
            raise_on_no_idempotency_key=True,
            response_hook=_mark_repeated,
        )
        # The prefix replaces the function's name in the key, so that renaming the function does not change the key.
        self._publish_once = idempotent_function(
            self._publish,
            data_keyword_argument="event_id",
            persistence_store=DynamoDBPersistenceLayer(
                table_name=idempotency_table,
                boto3_client=dynamodb if tracing is None else _TracedTable(dynamodb, tracing, idempotency_table),
            ),
            config=self._config,
            key_prefix="alert",
        )

    def register(self, context: "LambdaContext") -> None:
        """Register the invocation: an "in progress" record must not outlive it."""
        self._config.register_lambda_context(context)

    def publish(self, event_id: str, alert: Alert) -> Published:
        """Publish the alert unless it was published for this event; raise the errors of the SDK and of Powertools."""
        for wait_s in IN_PROGRESS_WAITS_S:
            with suppress(IdempotencyAlreadyInProgressError):
                return self._published(event_id, alert)
            time.sleep(wait_s)
        return self._published(event_id, alert)

    def _published(self, event_id: str, alert: Alert) -> Published:
        receipt: dict[str, Any] = self._publish_once(event_id=event_id, alert=alert)
        return Published(receipt["message_id"], repeated=receipt.get("repeated", False))

    def _publish(self, *, event_id: str, alert: Alert) -> dict[str, str]:
        if self._tracing is None:
            return self._send(alert)
        with self._tracing.creation(alert, alert.order_id, ALERT_TYPE) as created:
            span = self._tracing.sending("aws.sns", self._topic_arn.rpartition(":")[2])
            with self._tracing.current(span):
                sent = self._send(created)
                span.set_attribute("messaging.message.id", sent["message_id"])
        return sent

    def _send(self, alert: Alert) -> dict[str, str]:
        return {"message_id": self._sns.publish(**publish_request(alert, self._topic_arn))["MessageId"]}


class _TracedTable:
    """A DynamoDB client whose calls have spans, for the one table that Powertools uses."""

    def __init__(self, client: Any, tracing: Tracing, table: str) -> None:
        self._client, self._tracing, self._table = client, tracing, table

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if name not in _OPERATIONS:
            return attribute

        def traced(**request: Any) -> Any:
            with self._tracing.current(self._tracing.dynamodb(_OPERATIONS[name], self._table)):
                return attribute(**request)

        return traced


def publish_request(alert: Alert, topic_arn: str) -> "PublishInputTypeDef":
    """Build the one publish that fans out: JSON for queues, webhooks and e-mail, plain text for SMS.

    The subject of an e-mail is the text. Its body stays JSON because its subscription filters by body, and the payload
    of such a filter must be JSON. https://docs.aws.amazon.com/sns/latest/dg/message-filtering.html
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
