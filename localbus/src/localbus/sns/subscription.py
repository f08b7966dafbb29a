"""A subscription: an endpoint for the messages of a topic, with its filter, form, and retries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any, cast

from localbus.http.client import without_password
from localbus.input_values import read_json, timestamp
from localbus.sns.delivery_policy import DEFAULT_CONTENT_TYPE, RetryPolicy, effective_policy, retry_policy
from localbus.sns.errors import invalid
from localbus.sns.filter_policy import FilterPolicy, Scope
from localbus.sns.topic import Topic
from localbus.storage.documents import Document

_STORED = (
    *("protocol", "endpoint", "owner", "principal_arn", "attributes", "confirmed", "authenticated"),
    *("authenticate_on_unsubscribe", "token", "token_until", "ended"),
)
_DEFAULTS = {"FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false"}


@dataclass(frozen=True)
class ReplayPolicy:
    """The messages that a subscription replays, by their time in seconds since 1970. `end` may be infinite."""

    start: float
    end: float

    def status(self, now: float) -> str:
        """Return the ReplayStatus. A replay takes no time here, so it is in progress only until a later end."""
        return "In progress" if now < self.end < inf else "Completed"


@dataclass(eq=False)
class Subscription:
    """One subscription. `attributes` are those that were set, in AWS's own form.

    `principal_arn` is the user that subscribed; `authenticated` says whether it was confirmed with credentials.
    `token` is the last one that was sent to confirm it or its end. It confirms the subscription, or restores one that
    has `ended`, until its time is over.
    """

    arn: str
    topic: Topic
    protocol: str
    endpoint: str
    owner: str
    principal_arn: str
    attributes: dict[str, str] = field(default_factory=dict)
    filter_policy: FilterPolicy | None = None
    replay_policy: ReplayPolicy | None = None
    confirmed: bool = True
    authenticated: bool = True
    authenticate_on_unsubscribe: bool = False
    token: str = ""
    token_until: float = 0.0
    ended: bool = False
    next_turn_at: float = 0.0

    def document(self) -> Document:
        """Return the subscription for the storage, without its ARN."""
        return {name: getattr(self, name) for name in _STORED}

    @classmethod
    def restored(cls, arn: str, topic: Topic, document: Document) -> Subscription:
        """Return a subscription from the storage."""
        subscription = cls(arn, topic, **document)
        subscription.set_attributes(subscription.attributes)
        return subscription

    def set_attributes(self, attributes: dict[str, str]) -> None:
        """Apply all attributes, which are in AWS's own form. Raises FilterPolicyError and InvalidParameter."""
        text, scope = attributes.get("FilterPolicy"), attributes.get("FilterPolicyScope", "MessageAttributes")
        filter_policy = FilterPolicy(text, cast(Scope, scope)) if text else None
        replay = attributes.get("ReplayPolicy")
        self.replay_policy = read_replay_policy(replay) if replay else None
        self.attributes, self.filter_policy = attributes, filter_policy

    def attribute(self, name: str) -> str | None:
        """Return an attribute or its default."""
        return self.attributes.get(name, _DEFAULTS.get(name))

    @cached_property
    def shown_endpoint(self) -> str:
        """The endpoint as AWS shows it: with **** in place of an HTTP password."""
        return without_password(self.endpoint) if self.protocol in {"http", "https"} else self.endpoint

    @property
    def raw(self) -> bool:
        """True if messages are delivered without the envelope."""
        return self.attributes.get("RawMessageDelivery") == "true"

    @property
    def dead_letter_arn(self) -> str | None:
        """The ARN of the dead-letter queue, if there is one."""
        text = self.attributes.get("RedrivePolicy")
        found: str | None = json.loads(text)["deadLetterTargetArn"] if text else None
        return found

    @property
    def effective_delivery_policy(self) -> dict[str, Any]:
        """The retries, throttling and content type of deliveries by HTTP."""
        topic_policy = self.topic.attributes.get("DeliveryPolicy", "")
        return effective_policy(topic_policy, self.attributes.get("DeliveryPolicy", ""))

    @property
    def http_retry_policy(self) -> RetryPolicy:
        """The retries by HTTP. A change counts for messages under way too."""
        return retry_policy(self.effective_delivery_policy["healthyRetryPolicy"])

    def take_turn(self, now: float) -> float:
        """Reserve a delivery by HTTP and return the seconds until then, as maxReceivesPerSecond requires."""
        rate = (self.effective_delivery_policy["throttlePolicy"] or {}).get("maxReceivesPerSecond")
        if rate is None:
            return 0.0
        at = max(now, self.next_turn_at)
        self.next_turn_at = at + 1 / rate
        return at - now

    def content_type(self) -> str:
        """Return the content type of notifications by HTTP."""
        policy = self.effective_delivery_policy["requestPolicy"]
        return str(policy.get("headerContentType", DEFAULT_CONTENT_TYPE))


def read_replay_policy(text: str) -> ReplayPolicy:
    """Return a subscription's ReplayPolicy; raises InvalidParameter.

    Source: https://docs.aws.amazon.com/sns/latest/dg/message-archiving-and-replay-subscriber.html
    """
    try:
        document = read_json(text)
        start = timestamp(document["StartingPoint"]).timestamp()
        end = timestamp(document["EndingPoint"]).timestamp() if document.get("EndingPoint") else inf
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise invalid("ReplayPolicy: StartingPoint must be an ISO 8601 timestamp") from exc
    if document.get("PointType") != "Timestamp":
        raise invalid("ReplayPolicy: PointType must be Timestamp")
    if end < start:
        raise invalid("ReplayPolicy: EndingPoint must be after StartingPoint")
    return ReplayPolicy(start, end)
