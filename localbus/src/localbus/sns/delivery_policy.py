"""Delivery policies of topics and subscriptions: retries and their delays, throttling, content type.

Sources: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
and https://docs.aws.amazon.com/sns/latest/dg/creating-delivery-policy.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localbus.input_values import read_json
from localbus.sns.errors import invalid

MAX_TOTAL_S = 3600
MAX_RETRIES = 100
DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8"
DEFAULT_RETRY_POLICY: Mapping[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
_COUNTS = ("numRetries", "numMaxDelayRetries", "numNoDelayRetries", "numMinDelayRetries")

# From 0 to 1 over the backoff phase, by the position in it and the last position.
_FUNCTIONS: dict[str, Callable[[int, int, float], float]] = {
    "linear": lambda at, last, _ratio: at / last,
    "arithmetic": lambda at, last, _ratio: at * (at + 1) / (last * (last + 1)),
    "geometric": lambda at, last, ratio: (ratio ** (at / last) - 1) / (ratio - 1) if ratio > 1 else 0.0,
    "exponential": lambda at, last, _ratio: (2.0**at - 1) / (2.0**last - 1),
}


@dataclass(frozen=True)
class RetryPolicy:
    """The four phases of retries: immediate, after the shortest delay, after growing delays, after the longest."""

    immediate: int
    at_shortest: int
    growing: int
    at_longest: int
    shortest_s: float
    longest_s: float
    function: str = "linear"

    def delay_s(self, retries: int) -> float | None:
        """Return the delay in seconds before another retry after so many, or None after the last one."""
        if retries < self.immediate:
            return 0.0
        at = retries - self.immediate
        if at < self.at_shortest:
            return self.shortest_s
        at -= self.at_shortest
        if at < self.growing:
            grow, last = _FUNCTIONS[self.function], self.growing - 1
            share = grow(at, last, self.longest_s / self.shortest_s) if last else 0.0
            return self.shortest_s + (self.longest_s - self.shortest_s) * share
        return self.longest_s if at - self.growing < self.at_longest else None

    def delays(self) -> Iterator[float]:
        """Yield the delay before each retry, in seconds."""
        for retries in itertools.count():
            delay_s = self.delay_s(retries)
            if delay_s is None:
                return
            yield delay_s


# For endpoints that AWS runs itself, such as Lambda. It cannot be changed.
AWS_ENDPOINT_POLICY = RetryPolicy(3, 2, 10, 100_000, 1.0, 20.0, "exponential")


def retry_policy(given: Mapping[str, Any]) -> RetryPolicy:
    """Return the phases of a healthyRetryPolicy."""
    policy = {**DEFAULT_RETRY_POLICY, **given}
    none, shortest, longest = (policy[f"num{phase}DelayRetries"] for phase in ("No", "Min", "Max"))
    growing = max(0, policy["numRetries"] - none - shortest - longest)
    limits = float(policy["minDelayTarget"]), float(policy["maxDelayTarget"])
    return RetryPolicy(none, shortest, growing, longest, *limits, policy["backoffFunction"])


def read_topic_policy(text: str) -> str:
    """Return a topic's DeliveryPolicy in the form that AWS stores; raises InvalidParameter."""
    http = _object(_parse(text).get("http"), "http")
    _check_retry_policy(http.get("defaultHealthyRetryPolicy"), "http.defaultHealthyRetryPolicy")
    _check_throttle_policy(http.get("defaultThrottlePolicy"), "http.defaultThrottlePolicy")
    names = ("defaultHealthyRetryPolicy", "defaultThrottlePolicy", "defaultRequestPolicy")
    stored: dict[str, Any] = {name: _object(http[name], f"http.{name}") for name in names if http.get(name)}
    stored["disableSubscriptionOverrides"] = http.get("disableSubscriptionOverrides", False)
    return _text({"http": stored})


def read_subscription_policy(text: str) -> str:
    """Return a subscription's DeliveryPolicy in the form that AWS stores; raises InvalidParameter."""
    document = _parse(text)
    _check_retry_policy(document.get("healthyRetryPolicy"), "healthyRetryPolicy")
    _check_throttle_policy(document.get("throttlePolicy"), "throttlePolicy")
    return _text(
        {
            "healthyRetryPolicy": document.get("healthyRetryPolicy"),
            "sicklyRetryPolicy": None,
            "throttlePolicy": document.get("throttlePolicy"),
            "requestPolicy": document.get("requestPolicy") and _object(document["requestPolicy"], "requestPolicy"),
            "guaranteed": False,
        }
    )


def effective_topic_policy(stored: str) -> dict[str, Any]:
    """Return a topic's stored policy, completed by AWS's defaults."""
    http: dict[str, Any] = json.loads(stored)["http"] if stored else {}
    defaults = {
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": DEFAULT_CONTENT_TYPE},
    }
    retries = {**DEFAULT_RETRY_POLICY, **http.get("defaultHealthyRetryPolicy", {})}
    return {"http": defaults | http | {"defaultHealthyRetryPolicy": retries}}


def effective_policy(topic_stored: str, stored: str) -> dict[str, Any]:
    """Return a subscription's policy, unless the topic overrides it; what it lacks is the topic's."""
    topic = effective_topic_policy(topic_stored)["http"]
    own: dict[str, Any] = json.loads(stored) if stored and not topic["disableSubscriptionOverrides"] else {}
    healthy = own.get("healthyRetryPolicy")
    return {
        "healthyRetryPolicy": {**DEFAULT_RETRY_POLICY, **healthy} if healthy else topic["defaultHealthyRetryPolicy"],
        "sicklyRetryPolicy": None,
        "throttlePolicy": own.get("throttlePolicy") or topic.get("defaultThrottlePolicy"),
        "requestPolicy": own.get("requestPolicy") or topic["defaultRequestPolicy"],
        "guaranteed": False,
    }


def _parse(text: str) -> dict[str, Any]:
    try:
        return _object(read_json(text), "policy")
    except (ValueError, RecursionError) as exc:
        raise invalid("DeliveryPolicy: failed to parse JSON.") from exc


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"DeliveryPolicy: {name} must be an object")
    return value


def _check_retry_policy(given: Any, name: str) -> None:
    policy = {**DEFAULT_RETRY_POLICY, **_object(given, name)}
    for field in (*_COUNTS, "minDelayTarget", "maxDelayTarget"):
        if not isinstance(policy[field], int) or isinstance(policy[field], bool) or policy[field] < 0:
            raise invalid(f"DeliveryPolicy: {name}.{field} must be a whole number of at least 0")
    if policy["backoffFunction"] not in list(_FUNCTIONS):  # it may be a list, which a set or dict cannot look up
        choices = ", ".join(sorted(_FUNCTIONS))
        raise invalid(f"DeliveryPolicy: {name}.backoffFunction must be one of {choices}")
    if not 1 <= policy["minDelayTarget"] <= policy["maxDelayTarget"] <= MAX_TOTAL_S:
        raise invalid(f"DeliveryPolicy: {name}.maxDelayTarget must be greater than or equal to minDelayTarget")
    if policy["numRetries"] > MAX_RETRIES:
        raise invalid(f"DeliveryPolicy: {name}.numRetries must be less than or equal to {MAX_RETRIES}")
    if sum(policy[field] for field in _COUNTS[1:]) > policy["numRetries"]:
        raise invalid(f"DeliveryPolicy: {name}.numRetries must be at least the sum of the retries of its phases")
    if sum(retry_policy(policy).delays()) > MAX_TOTAL_S:
        raise invalid(f"DeliveryPolicy: {name}: the total retry time must not exceed {MAX_TOTAL_S} seconds")


def _check_throttle_policy(given: Any, name: str) -> None:
    rate = _object(given, name).get("maxReceivesPerSecond")
    if rate is not None and (not isinstance(rate, int) or isinstance(rate, bool) or rate < 1):
        raise invalid(f"DeliveryPolicy: {name}.maxReceivesPerSecond must be a whole number of at least 1")


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
