"""How often and when a delivery is tried again (sns-message-delivery-retries, creating-delivery-policy)."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest
from localbus.errors import AwsError
from localbus.sns.delivery_policy import AWS_ENDPOINT_POLICY, effective_policy, read_topic_policy, retry_policy


@pytest.mark.parametrize(
    ("given", "delays"),
    [
        ({}, [20, 20, 20]),
        ({"numRetries": 0}, []),
        (
            {"minDelayTarget": 1, "maxDelayTarget": 60, "numRetries": 9, "numNoDelayRetries": 3}
            | {"numMinDelayRetries": 2, "numMaxDelayRetries": 1},
            [0, 0, 0, 1, 1, 1, 30.5, 60, 60],
        ),
        ({"minDelayTarget": 1, "maxDelayTarget": 5, "numRetries": 5}, [1, 2, 3, 4, 5]),
        (
            {"minDelayTarget": 2, "maxDelayTarget": 9, "numRetries": 4, "backoffFunction": "exponential"},
            [2, 3, 5, 9],
        ),
        (
            {"minDelayTarget": 1, "maxDelayTarget": 8, "numRetries": 4, "backoffFunction": "geometric"},
            [1, 2, 4, 8],
        ),
        (
            {"minDelayTarget": 0 + 1, "maxDelayTarget": 13, "numRetries": 4, "backoffFunction": "arithmetic"},
            [1, 3, 7, 13],
        ),
    ],
)
def test_the_four_phases(given: dict[str, Any], delays: list[float]) -> None:
    """At once, after the shortest pause, after growing ones, after the longest; AWS's default is three times 20 s."""
    assert list(retry_policy(given).delays()) == pytest.approx(delays)


def test_endpoints_of_aws_have_a_policy_of_their_own() -> None:
    """3 retries at once, 2 after a second, 10 growing from 1 to 20 seconds, then 100,000 every 20 seconds."""
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
        {"minDelayTarget": 100, "maxDelayTarget": 100, "numRetries": 37},
    ],
)
def test_a_policy_that_may_not_be(policy: dict[str, Any]) -> None:
    """The limits of creating-delivery-policy, an hour in all among them."""
    with pytest.raises(AwsError) as raised:
        read_topic_policy(json.dumps({"http": {"defaultHealthyRetryPolicy": policy}}))

    assert raised.value.code == "InvalidParameterException"


def test_a_subscription_s_own_policy_holds_unless_the_topic_forbids() -> None:
    """disableSubscriptionOverrides makes the topic's policy hold for all."""
    own = json.dumps({"healthyRetryPolicy": {"numRetries": 7}})
    free, strict = ({"http": {"disableSubscriptionOverrides": flag}} for flag in (False, True))

    assert effective_policy(json.dumps(free), own)["healthyRetryPolicy"]["numRetries"] == 7
    assert effective_policy(json.dumps(strict), own)["healthyRetryPolicy"]["numRetries"] == 3
