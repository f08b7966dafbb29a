"""Delivery policies: the delays of retries, and limits (sns-message-delivery-retries, creating-delivery-policy)."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest
from localbus.errors import AwsError
from localbus.sns.delivery_policy import AWS_ENDPOINT_POLICY, effective_policy, read_topic_policy, retry_policy


def delays_of(shortest_s: int, longest_s: int, retries: int) -> dict[str, Any]:
    """Return a policy with these delays."""
    return {"minDelayTarget": shortest_s, "maxDelayTarget": longest_s, "numRetries": retries}


@pytest.mark.parametrize(
    ("given", "delays"),
    [
        ({}, [20, 20, 20]),
        ({"numRetries": 0}, []),
        (
            delays_of(1, 60, 9) | {"numNoDelayRetries": 3, "numMinDelayRetries": 2, "numMaxDelayRetries": 1},
            [0, 0, 0, 1, 1, 1, 30.5, 60, 60],
        ),
        (delays_of(1, 5, 5), [1, 2, 3, 4, 5]),
        (delays_of(2, 9, 4) | {"backoffFunction": "exponential"}, [2, 3, 5, 9]),
        (delays_of(1, 8, 4) | {"backoffFunction": "geometric"}, [1, 2, 4, 8]),
        (delays_of(1, 13, 4) | {"backoffFunction": "arithmetic"}, [1, 3, 7, 13]),
    ],
)
def test_the_four_phases(given: dict[str, Any], delays: list[float]) -> None:
    """Retries are immediate, after the shortest delay, after growing ones, after the longest; by default 3 x 20 s."""
    assert list(retry_policy(given).delays()) == pytest.approx(delays)


def test_the_policy_of_aws_endpoints() -> None:
    """3 immediate retries, 2 after a second, 10 growing from 1 to 20 seconds, then 100,000 every 20 seconds."""
    delays = list(islice(AWS_ENDPOINT_POLICY.delays(), 20))

    assert delays[:6] == [0, 0, 0, 1, 1, 1]
    assert delays[14:] == [20] * 6
    assert sum(1 for _ in AWS_ENDPOINT_POLICY.delays()) == 100_015


@pytest.mark.parametrize(
    "policy",
    [
        {"minDelayTarget": 0},
        {"minDelayTarget": 30},
        {"maxDelayTarget": 3601},
        {"numRetries": 101},
        {"numRetries": 1, "numNoDelayRetries": 2},
        {"numRetries": "3"},
        {"backoffFunction": "sudden"},
        {"backoffFunction": ["linear"]},
        {"minDelayTarget": 100, "maxDelayTarget": 100, "numRetries": 37},
    ],
)
def test_invalid_policies(policy: dict[str, Any]) -> None:
    """Each exceeds a limit of creating-delivery-policy, one of which is an hour in total."""
    with pytest.raises(AwsError) as raised:
        read_topic_policy(json.dumps({"http": {"defaultHealthyRetryPolicy": policy}}))

    assert raised.value.code == "InvalidParameterException"


def test_the_policy_of_a_subscription_can_be_overridden() -> None:
    """With disableSubscriptionOverrides the topic's policy applies to all subscriptions."""
    own = json.dumps({"healthyRetryPolicy": {"numRetries": 7}})
    free, strict = ({"http": {"disableSubscriptionOverrides": flag}} for flag in (False, True))

    assert effective_policy(json.dumps(free), own)["healthyRetryPolicy"]["numRetries"] == 7
    assert effective_policy(json.dumps(strict), own)["healthyRetryPolicy"]["numRetries"] == 3
