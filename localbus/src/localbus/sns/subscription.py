"""A subscription: where the messages of a topic go, which of them, in which form, and what if they cannot."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field

from localbus.sns.delivery_policy import effective_policy, retry_policy
from localbus.sns.filter_policy import FilterPolicy
from localbus.sns.topic import Topic

# https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html and API_Subscribe.html
CONFIRM_WITHIN_S = 2 * 86_400
TOKEN_CHARACTERS = 96
_BY_HTTP = {"http", "https"}
_DEFAULTS = {"FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "false"}


def new_token() -> str:
    """What whoever confirms a subscription must know."""
    return secrets.token_hex(TOKEN_CHARACTERS // 2)


@dataclass(eq=False)
class Subscription:
    """One subscription. `attributes` are those that were set, in AWS's own form."""

    arn: str
    topic: Topic
    protocol: str
    endpoint: str
    owner: str
    created_at: float
    attributes: dict[str, str] = field(default_factory=dict)
    filter_policy: FilterPolicy | None = None
    confirmed: bool = True
    authenticated: bool = True  # whether who confirmed it, did so with credentials
    authenticate_on_unsubscribe: bool = False
    token: str = field(default_factory=new_token)
    next_turn_at: float = 0.0

    def attribute(self, name: str) -> str | None:
        """The attribute, or what holds where it was not set."""
        return self.attributes.get(name, _DEFAULTS.get(name))

    @property
    def raw(self) -> bool:
        """Whether the message goes out as it is, without the envelope."""
        return self.attributes.get("RawMessageDelivery") == "true"

    @property
    def dead_letter_arn(self) -> str | None:
        """The queue for what cannot be delivered."""
        text = self.attributes.get("RedrivePolicy")
        found: str | None = json.loads(text)["deadLetterTargetArn"] if text else None
        return found

    def is_stale(self, now: float) -> bool:
        """Whether nobody confirmed it in time."""
        return not self.confirmed and now >= self.created_at + CONFIRM_WITHIN_S

    @property
    def effective_delivery_policy(self) -> dict[str, object]:
        """How deliveries by HTTP are tried again, and in which form they go out."""
        return effective_policy(
            self.topic.attributes.get("DeliveryPolicy", ""), self.attributes.get("DeliveryPolicy", "")
        )

    def http_delays(self) -> list[float]:
        """The pause before each retry by HTTP, in seconds."""
        healthy = self.effective_delivery_policy["healthyRetryPolicy"]
        return list(retry_policy(healthy).delays()) if isinstance(healthy, dict) else []

    def take_turn(self, now: float) -> float:
        """How many seconds a delivery is to wait, so that there are no more of them by HTTP than the policy lets."""
        if self.protocol not in _BY_HTTP:
            return 0.0
        throttle = self.effective_delivery_policy["throttlePolicy"]
        rate = throttle.get("maxReceivesPerSecond") if isinstance(throttle, dict) else None
        if rate is None:
            return 0.0
        at = max(now, self.next_turn_at)
        self.next_turn_at = at + 1 / rate
        return at - now

    def content_type(self) -> str:
        """The content type of notifications by HTTP."""
        request = self.effective_delivery_policy["requestPolicy"]
        return str(request["headerContentType"]) if isinstance(request, dict) else ""
