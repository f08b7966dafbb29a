"""Subscribers that are reached by HTTP: endpoints of others, and Lambda functions at the upstream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from localbus.http import client as http_client
from localbus.http.client import Answer, NoAnswerError
from localbus.resource_policy import Principal, allows
from localbus.sns.delivery_policy import DEFAULT_CONTENT_TYPE, MANAGED
from localbus.sns.notification import Notification
from localbus.sns.subscription import Subscription
from localbus.upstream.client import UpstreamCalls

# https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
ANSWER_WITHIN_S = 15
_AGENT = "Amazon Simple Notification Service Agent"


class UndeliverableError(Exception):
    """A subscriber did not take a message. `again` says whether another attempt may help."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class RemoteEndpoints:
    """How to reach them."""

    def __init__(self, upstream: UpstreamCalls, *, enforce_policies: bool) -> None:
        self._upstream = upstream
        self._enforce_policies = enforce_policies

    def function_pauses(self) -> Iterator[float]:
        """The pause before each retry of an invocation, in seconds."""
        return MANAGED.pauses()

    async def post(self, subscription: Subscription, notification: Notification, body: str) -> None:
        """Send a notification to an HTTP endpoint."""
        headers = {"Content-Type": subscription.content_type(), "x-amz-sns-subscription-arn": subscription.arn}
        if subscription.raw:
            headers["x-amz-sns-rawdelivery"] = "true"
        if notification.trace_header:
            headers["X-Amzn-Trace-Id"] = notification.trace_header
        await _post(subscription, notification.message_id, "Notification", body, headers)

    async def confirm(self, subscription: Subscription, message_id: str, kind: str, body: str) -> None:
        """Ask an HTTP endpoint for a confirmation."""
        headers = {"Content-Type": DEFAULT_CONTENT_TYPE}
        if kind != "SubscriptionConfirmation":
            headers["x-amz-sns-subscription-arn"] = subscription.arn
        await _post(subscription, message_id, kind, body, headers)

    async def invoke(self, subscription: Subscription, principal: Principal, event: str) -> None:
        """Call a Lambda function, if its policy lets the topic."""
        arn = subscription.endpoint
        if not self._upstream.is_there:
            reason = "there are no functions: the engine was started with no --upstream"
            raise UndeliverableError(reason, again=False)
        try:
            if self._enforce_policies:
                policy = await self._upstream.function_policy(arn)
                if not allows(policy, principal, "lambda:InvokeFunction", arn):
                    reason = f"the policy of {arn} does not let {principal.service} invoke it for this topic"
                    raise UndeliverableError(reason, again=False)
            answer = await self._upstream.invoke(arn, event, wait=False)
        except TimeoutError as exc:
            raise UndeliverableError(f"{arn} did not answer in time", again=True) from exc
        except NoAnswerError as exc:
            raise UndeliverableError(str(exc), again=True) from exc
        _check(answer, arn)


async def _post(subscription: Subscription, message_id: str, kind: str, body: str, given: Mapping[str, str]) -> None:
    """Send a message to an HTTP endpoint.

    Source: https://docs.aws.amazon.com/sns/latest/dg/http-header.html
    """
    headers = {
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": subscription.topic.arn,
        "User-Agent": _AGENT,
        "Accept-Encoding": "gzip,deflate",
        **given,
    }
    endpoint = subscription.endpoint
    try:
        answer = await http_client.send("POST", endpoint, headers, body.encode(), timeout_s=ANSWER_WITHIN_S)
    except TimeoutError as exc:
        raise UndeliverableError(f"{endpoint} did not answer in {ANSWER_WITHIN_S} s", again=True) from exc
    except (NoAnswerError, OSError, ValueError) as exc:
        raise UndeliverableError(str(exc), again=True) from exc
    _check(answer, endpoint)


def _check(answer: Answer, endpoint: str) -> None:
    """A server's error may pass; a client's does not, whoever repeats the request."""
    if answer.status >= 300:
        again = answer.status >= 500 or answer.status == 429
        raise UndeliverableError(f"{endpoint} answered {answer.status}", again=again)
