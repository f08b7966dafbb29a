"""Delivery of a request to confirm a subscription, or of the news of its end. It is attempted once.

Source: https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from localbus.delivery.attempt import DeliveryError
from localbus.delivery.dispatcher import Delivery
from localbus.errors import AwsError
from localbus.sns.delivery import CapturedMessage, Senders
from localbus.sns.http_delivery import post_confirmation
from localbus.sns.notification import formatted
from localbus.sns.signature import digest
from localbus.sns.subscription import Subscription
from localbus.storage.documents import Document


class ConfirmationDelivery(Delivery):
    """One confirmation for the endpoint of a subscription. `text` is its document, without a signature."""

    target_kind = "confirmation"
    keeps_by = "Subscribe again to have another one"

    def __init__(self, senders: Senders, subscription: Subscription, text: dict[str, str], base_url: str) -> None:
        self.message_id = text["MessageId"]
        self.resource = subscription.arn
        self.principal = subscription.topic.principal
        self.receipt = None
        self._senders = senders
        self._subscription = subscription
        self._text = text
        self._base_url = base_url

    def document(self) -> Document:
        """Return the delivery for the storage."""
        return {"subscription": self.resource, "confirmation": self._text, "base_url": self._base_url}

    def route(self) -> tuple[str, str]:
        """Return the topic and the endpoint."""
        return self._subscription.topic.arn, self._subscription.shown_endpoint

    def reason(self, error: DeliveryError) -> str:
        """Return the error as that of a message about the subscription."""
        return f"the message about the subscription itself was not accepted: {error.message}"

    def next_retry_s(self, _now: float) -> float | None:
        """Return None: another Subscribe sends it again."""
        return None

    def dead_letter(self, _error: DeliveryError) -> None:
        """Return None: only notifications are dead-lettered."""

    def attempt(self) -> Coroutine[Any, Any, None] | None:
        """Post it, send it to the queue, or capture it."""
        subscription = self._subscription
        match subscription.protocol:
            case "http" | "https":
                return post_confirmation(subscription, self._text, self._senders.signer, self._base_url)
            case "sqs":
                self._send_to_queue()
            case _:
                self._capture()
        return None

    def _send_to_queue(self) -> None:
        subscription = self._subscription
        text = formatted(self._text | digest(self._text, subscription.topic.signature_version))
        entry = {"MessageBody": text}
        if subscription.endpoint.endswith(".fifo"):  # a FIFO queue accepts nothing without these
            entry |= {"MessageGroupId": self.message_id, "MessageDeduplicationId": self.message_id}
        try:
            self._senders.sqs.deliver(subscription.endpoint, entry, self.principal)
        except AwsError as exc:
            raise DeliveryError(exc.code, exc.message) from exc

    def _capture(self) -> None:
        subscription = self._subscription
        self._senders.captured.add(
            CapturedMessage(
                self._senders.clock.now(),
                subscription.protocol,
                subscription.endpoint,
                "AWS Notification - Subscription Confirmation",
                self._text["Message"],
                self.message_id,
                subscription.topic.arn,
                self._text["SubscribeURL"],
            )
        )
