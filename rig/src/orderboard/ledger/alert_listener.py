"""Records alerts through a subscription and a queue made for one measurement: the inbox is for its own readers."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from botocore.exceptions import EndpointConnectionError, HTTPClientError

from orderboard.ledger.queue_reader import OnMessage, QueueReader
from orderboard.resources.policy import Sender, send_policy
from orderboard.system.target import Target

_VISIBILITY_TIMEOUT_S: Final = "10"
_KEPT_S: Final = "3600"


@contextmanager
def listen_for_alerts(target: Target, name: str, on_message: OnMessage, *, gather_s: float) -> Iterator[None]:
    """Subscribe a queue of this name to the alerts topic and receive until the block ends, then delete both."""
    sqs, sns, topic_arn = target.sqs, target.sns, target.outputs.alerts_topic_arn
    attributes = {"VisibilityTimeout": _VISIBILITY_TIMEOUT_S, "MessageRetentionPeriod": _KEPT_S}
    with ExitStack() as stack:
        queue_url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
        stack.callback(_remove_queue, target, queue_url)
        queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(
            QueueUrl=queue_url, Attributes={"Policy": send_policy(Sender("sns.amazonaws.com", topic_arn), queue_arn)}
        )
        subscription_arn = sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        stack.callback(_unsubscribe, target, subscription_arn)
        with QueueReader(target, queue_url, on_message, name="alerts", gather_s=gather_s):
            yield


def _unsubscribe(target: Target, subscription_arn: str) -> None:
    with suppress(EndpointConnectionError, HTTPClientError):
        target.sns.unsubscribe(SubscriptionArn=subscription_arn)


def _remove_queue(target: Target, queue_url: str) -> None:
    with suppress(EndpointConnectionError, HTTPClientError):
        target.sqs.delete_queue(QueueUrl=queue_url)
