"""What mails, text messages and push notifications look like that SNS would send, and into which `outbox` they go."""

from __future__ import annotations

from collections.abc import Mapping

from localbus.sns.captured_messages import Letter
from localbus.sns.notification import Notification
from localbus.sns.subscription import Subscription


def delivered(at: float, subscription: Subscription, notification: Notification, text: str) -> Letter:
    """A notification to a mail address, a phone number or a device."""
    mail = subscription.protocol.startswith("email")
    return Letter(
        at,
        subscription.protocol,
        subscription.endpoint,
        notification.subject or ("AWS Notification Message" if mail else None),
        text,
        notification.message_id,
        subscription.topic.arn,
        notification.unsubscribe_url(subscription.arn) if mail else None,
    )


def asking(at: float, subscription: Subscription, document: Mapping[str, str]) -> Letter:
    """The request to confirm a subscription, or the end of one."""
    return Letter(
        at,
        subscription.protocol,
        subscription.endpoint,
        "AWS Notification - Subscription Confirmation",
        document["Message"],
        document["MessageId"],
        subscription.topic.arn,
        document["SubscribeURL"],
    )
