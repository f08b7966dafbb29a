"""Validation of a subscription's protocol and endpoint.

Source: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
"""

from __future__ import annotations

import re

from localbus.errors import AwsError, not_implemented
from localbus.protocol.service import Caller
from localbus.sns.errors import invalid
from localbus.sns.topic import Topic

PROTOCOLS = ("sqs", "lambda", "http", "https", "email", "email-json", "sms", "application")
CONFIRMED_BY_LINK = {"http", "https", "email", "email-json"}
_NOT_IMPLEMENTED = {"firehose"}
_PHONE = re.compile(r"\+?[0-9](?:[-./ ()]?[0-9]){1,19}")
_ARNS = {
    "sqs": re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(?:\.fifo)?"),
    "lambda": re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?"),
}
# https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
_LARGE_BYTES, _MOST_WITH_LARGE, _PROTOCOLS_WITH_LARGE = 262_144, 100, {"sqs", "lambda"}


def check_endpoint(protocol: str, endpoint: str, topic: Topic, subscriptions: int) -> None:
    """Raise AwsError unless a topic with so many subscriptions can have this one."""
    if protocol in _NOT_IMPLEMENTED:
        raise not_implemented("sns", f"Subscribe to {protocol}")
    if protocol not in PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if protocol in {"http", "https"} and not re.fullmatch(rf"{protocol}://[^/\s]+(?:/\S*)?", endpoint):
        raise invalid("Endpoint must match the specified protocol")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
        raise invalid("Email address")
    if protocol == "sms" and not _PHONE.fullmatch(endpoint):
        raise AwsError("InvalidParameterException", f"Invalid SMS endpoint: {endpoint}")
    if protocol in _ARNS and not _ARNS[protocol].fullmatch(endpoint):
        raise invalid(f"{'SQS' if protocol == 'sqs' else 'Lambda'} endpoint ARN")
    if not topic.fifo and protocol == "sqs" and endpoint.endswith(".fifo"):
        reason = "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
        raise invalid(f"Invalid parameter: {reason}")  # so AWS spells it
    if topic.fifo and protocol != "sqs":
        raise invalid("Protocol Reason: a FIFO topic delivers to SQS queues only")
    if topic.max_message_bytes > _LARGE_BYTES:
        if protocol not in _PROTOCOLS_WITH_LARGE:
            raise invalid(f"Protocol Reason: {protocol} does not take messages of more than {_LARGE_BYTES} bytes")
        if subscriptions >= _MOST_WITH_LARGE:
            raise invalid(f"TopicArn Reason: a topic for large messages has at most {_MOST_WITH_LARGE} subscriptions")


def must_confirm(protocol: str, endpoint: str, caller: Caller) -> bool:
    """Return whether the endpoint has to confirm: by HTTP and e-mail, and a queue or function of another account."""
    return protocol in CONFIRMED_BY_LINK or (protocol in _ARNS and endpoint.split(":")[4] != caller.account)
