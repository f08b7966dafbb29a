"""Delivery by HTTP: notifications and confirmations, signed, and throttled as the delivery policy says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from localbus.delivery.attempt import check_answer, no_connection
from localbus.http import client as http_client
from localbus.http.authentication import answer_challenge
from localbus.http.client import NoAnswerError
from localbus.sns.delivery import NotificationDelivery
from localbus.sns.delivery_policy import DEFAULT_CONTENT_TYPE
from localbus.sns.notification import formatted
from localbus.sns.signature import Signer
from localbus.sns.subscription import Subscription

# https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
ANSWER_WITHIN_S = 15
_AGENT = "Amazon Simple Notification Service Agent"


class HttpDelivery(NotificationDelivery):
    """A notification for an HTTP endpoint, retried by the subscription's delivery policy."""

    def next_retry_s(self, now: float) -> float | None:
        """Return the next delay of the delivery policy as it is now, in seconds."""
        self.retry_policy = self.subscription.http_retry_policy
        return super().next_retry_s(now)

    def throttle_s(self, now: float) -> float:
        """Return the wait for the subscription's maxReceivesPerSecond, in seconds."""
        return self.subscription.take_turn(now)

    async def attempt(self) -> None:
        """Post the notification. Signing takes a while, so an envelope is made in a thread."""
        subscription, notification = self.subscription, self.notification
        headers = {"Content-Type": subscription.content_type(), "x-amz-sns-subscription-arn": subscription.arn}
        if subscription.raw:
            headers["x-amz-sns-rawdelivery"] = "true"
        if notification.trace_header:
            headers["X-Amzn-Trace-Id"] = notification.trace_header
        if subscription.raw:
            body = self.body()
        else:
            body = await asyncio.to_thread(self.body)
            await self.senders.signer.stored()
        await _post(subscription, self.message_id, "Notification", body, headers)


async def post_confirmation(
    subscription: Subscription, document: dict[str, str], signer: Signer, base_url: str
) -> None:
    """Post the request to confirm a subscription, or the news of its end. Raises DeliveryError."""
    signed = await asyncio.to_thread(signer.sign, document, subscription.topic.signature_version, base_url)
    await signer.stored()
    headers = {"Content-Type": DEFAULT_CONTENT_TYPE}
    if document["Type"] != "SubscriptionConfirmation":
        headers["x-amz-sns-subscription-arn"] = subscription.arn
    await _post(subscription, document["MessageId"], document["Type"], formatted(document | signed), headers)


async def _post(subscription: Subscription, message_id: str, kind: str, body: str, given: Mapping[str, str]) -> None:
    """Send a message to an HTTP endpoint, with the credentials of its URL once it asks for them. Raises DeliveryError.

    Sources: https://docs.aws.amazon.com/sns/latest/dg/http-header.html
    and https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
    """
    headers = {
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": subscription.topic.arn,
        "User-Agent": _AGENT,
        "Accept-Encoding": "gzip,deflate",
        **given,
    }
    endpoint, shown = subscription.endpoint, subscription.shown_endpoint
    try:
        answer = await http_client.send("POST", endpoint, headers, body.encode(), timeout_s=ANSWER_WITHIN_S)
        authorization = answer_challenge(answer.headers.get("www-authenticate", ""), "POST", endpoint)
        if answer.status == 401 and authorization is not None:
            headers["Authorization"] = authorization
            answer = await http_client.send("POST", endpoint, headers, body.encode(), timeout_s=ANSWER_WITHIN_S)
    except (NoAnswerError, OSError, ValueError) as exc:  # TimeoutError is an OSError
        raise no_connection(exc, shown) from exc
    check_answer(answer, shown)
