"""Errors of invalid requests, in AWS's words: tables of claims by action.

The rules are from the action's page in https://docs.aws.amazon.com/sns/latest/api/ and from fifo-message-dedup,
sns-dead-letter-queues, large-message-payloads and creating-delivery-policy in the guide; the messages were recorded of
AWS.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.localbus import ACCOUNT, refused

KIB = 1024
ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}"
TOPIC, FIFO_TOPIC = f"{ARN}:shared", f"{ARN}:shared.fifo"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
TEXT = {"DataType": "String", "StringValue": "v"}
ENTRY = {"Id": "1", "Message": "m"}
ELEMENTS = "An ARN must have at least 6 elements, not"
SOURCE = "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column:"
NO_DEFAULT = "Message Structure - No default entry in JSON message body"
NO_ID = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
TOKEN = "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid"
FIFO_QUEUE = "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
FIFO_DEAD = "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
RATE = "Attributes Reason: DeliveryPolicy: throttlePolicy.maxReceivesPerSecond must be a whole number of at least 1"
EMPTY = "The message attribute 'a' must contain non-empty message attribute value for message attribute type"
FIELD = "must use field"
TYPES = "the set of supported type prefixes is Binary, Number, and String."
LETTERS = "Can only include alphanumeric characters, hyphens, underscores, or dots."
BAD_ID = "The Id of a batch entry in the batch request"
PHONE = "PhoneNumber Reason: input incorrectly formatted"
CHARACTERS = "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"

MISSING_TOPICS: dict[str, tuple[str, str | tuple[str, str]]] = {
    "no ARN": ("none", f"TopicArn Reason: {ELEMENTS} 1"),
    "a missing topic": (f"{ARN}:none", ("NotFound", "Topic does not exist")),
    "another region": (f"arn:aws:sns:eu-west-1:{ACCOUNT}:t", "TopicArn"),
}
NO_NUMBER = "Could not cast message attribute 'a' value to number."
MESSAGE_ATTRIBUTES: dict[str, tuple[str, dict[str, Any], str]] = {
    "an empty text": ("a", {"DataType": "String", "StringValue": ""}, f"{EMPTY} 'String'."),
    "no text": ("a", {"DataType": "String"}, f"{EMPTY} 'String'."),
    "no bytes": ("a", {"DataType": "Binary", "BinaryValue": b""}, f"{EMPTY} 'Binary'."),
    "a number in bytes": ("a", {"DataType": "Number", "BinaryValue": b"1"}, f"with type 'Number' {FIELD} 'String'."),
    "bytes in a text": ("a", {"DataType": "Binary", "StringValue": "x"}, f"with type 'Binary' {FIELD} 'Binary'."),
    "an unknown type": ("a", TEXT | {"DataType": "string.x"}, f"has an invalid message attribute type, {TYPES}"),
    **{
        f"the number {number!r}": ("a", {"DataType": "Number", "StringValue": number}, NO_NUMBER)
        for number in ("many", "1_000", "NaN", "Infinity", "-inf", " 1", "1\n", "٣", "1E+400", "1" * 39)
    },
    "257 characters": ("a" * 257, TEXT, "Length of message attribute name must be less than 256 bytes."),
    "a special character": (
        "a^b",
        TEXT,
        f"Invalid non-alphanumeric character '#x5E' was found in the message attribute name. {LETTERS}",
    ),
    "a dot at the start": (".a", TEXT, "Invalid message attribute name starting with character '.' was found."),
    "a dot at the end": ("a.", TEXT, "Invalid message attribute name ending with character '.' was found."),
    "two dots": ("a..b", TEXT, "Message attribute name can not have successive '.' character."),
    "a reserved prefix": ("AWS.other", TEXT, "Message attribute name can not start with AWS. or Amazon."),
}
RATES = [{"maxReceivesPerSecond": rate} for rate in (0, -1, 1.5, "2", True)]
SUBSCRIPTION = {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE}
FIFO_SUBSCRIPTION = {"TopicArn": FIFO_TOPIC, "Protocol": "sqs", "Endpoint": f"{QUEUE}.fifo"}
APPLICATION = {"Name": "a", "Platform": "GCM", "Attributes": {"PlatformCredential": "secret"}}

# By action and claim: parameters beside those below, and the reason, or code and message, or None for any reason.
DEFAULTS: dict[str, dict[str, Any]] = {
    "set_topic_attributes": {"TopicArn": TOPIC},
    "tag_resource": {"ResourceArn": TOPIC},
    "subscribe": SUBSCRIPTION,
    "confirm_subscription": {"TopicArn": TOPIC},
    "publish": {"Message": "m"},
    "publish_batch": {"TopicArn": TOPIC},
    "create_platform_application": APPLICATION,
}
CLAIMS: dict[str, dict[str, tuple[dict[str, Any], str | tuple[str, str] | None]]] = {
    "create_topic": {
        **{
            repr(name)[:20]: ({"Name": name}, "Topic Name")
            for name in ("", "a" * 257, "bad:name", "bad name", "t.fifo")
        },
        "FIFO": ({"Name": "t", "Attributes": {"FifoTopic": "true"}}, "Topic Name"),
        "data protection": (
            {"Name": "t", "DataProtectionPolicy": "{}"},
            (
                "NotImplemented",
                "sns CreateTopic with a DataProtectionPolicy is an action of AWS that localbus does not implement.",
            ),
        ),
    },
    **{
        action: {"no ARN": ({name: "text", **more}, f"{name} Reason: An ARN must have at least 6 elements, not 1")}
        for action, name, more in (
            ("get_platform_application_attributes", "PlatformApplicationArn", {}),
            ("delete_platform_application", "PlatformApplicationArn", {}),
            ("delete_endpoint", "EndpointArn", {}),
            ("set_platform_application_attributes", "PlatformApplicationArn", {"Attributes": {"Enabled": "true"}}),
            ("list_endpoints_by_platform_application", "PlatformApplicationArn", {}),
            ("create_platform_endpoint", "PlatformApplicationArn", {"Token": "t"}),
            ("get_endpoint_attributes", "EndpointArn", {}),
            ("set_endpoint_attributes", "EndpointArn", {"Attributes": {"Enabled": "true"}}),
        )
    },
    "get_topic_attributes": {why: ({"TopicArn": arn}, error) for why, (arn, error) in MISSING_TOPICS.items()},
    "set_topic_attributes": {
        f"{name} {value[:60]}": ({"AttributeName": name, "AttributeValue": value}, None)
        for name, value in (
            ("FifoTopic", "true"),
            ("NoSuch", "x"),
            ("ContentBasedDeduplication", "true"),
            ("SignatureVersion", "3"),
            ("MaximumMessageSize", "1023"),
            ("Policy", "{}"),
            ("DeliveryPolicy", "{"),
            ("DisplayName", "x" * 101),
            *(("DeliveryPolicy", json.dumps({"http": {"defaultThrottlePolicy": rate}})) for rate in RATES),
        )
    },
    "tag_resource": {
        "twice": ({"Tags": [{"Key": "a", "Value": "b"}] * 2}, "Duplicated keys are not allowed."),
        "51": (
            {"Tags": [{"Key": str(number), "Value": "v"} for number in range(51)]},
            ("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"),
        ),
    },
    "list_tags_for_resource": {
        "a missing topic": ({"ResourceArn": f"{TOPIC}2"}, ("ResourceNotFound", "Resource does not exist"))
    },
    "put_data_protection_policy": {
        "not implemented": (
            {"ResourceArn": "a", "DataProtectionPolicy": "{}"},
            ("NotImplemented", "sns PutDataProtectionPolicy is an action of AWS that localbus does not implement."),
        )
    },
    "subscribe": {
        **{why: ({"TopicArn": arn}, error) for why, (arn, error) in MISSING_TOPICS.items()},
        "protocol": ({"Protocol": "test"}, "Amazon SNS does not support this protocol string: test"),
        "queue URL": ({"Endpoint": "http://localhost/000000000000/q"}, "SQS endpoint ARN"),
        "number": (
            {"Protocol": "sms", "Endpoint": "NAA+15551234567"},
            ("InvalidParameter", "Invalid SMS endpoint: NAA+15551234567"),
        ),
        "scheme": (
            {"Protocol": "http", "Endpoint": "https://example.com"},
            "Endpoint must match the specified protocol",
        ),
        "FIFO queue": ({"Endpoint": f"{QUEUE}.fifo"}, f"Invalid parameter: {FIFO_QUEUE}"),
        "standard dead-letter queue": (
            FIFO_SUBSCRIPTION | {"Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": QUEUE})}},
            f"Attributes Reason: {FIFO_DEAD}",
        ),
        **{
            f"{rate}": (
                {"Protocol": "http", "Endpoint": "http://127.0.0.1:9"}
                | {"Attributes": {"DeliveryPolicy": json.dumps({"throttlePolicy": rate})}},
                RATE,
            )
            for rate in RATES
        },
    },
    **{
        action: {
            "no ARN": ({"SubscriptionArn": "x"}, f"SubscriptionArn Reason: {ELEMENTS} 1"),
            "five elements": ({"SubscriptionArn": ARN}, f"SubscriptionArn Reason: {ELEMENTS} 5"),
            "no id": ({"SubscriptionArn": f"{TOPIC}:not-an-id"}, "SubscriptionId"),
            "empty": ({"SubscriptionArn": ""}, "SubscriptionArn Reason: no value for required parameter"),
        }
        for action in ("unsubscribe", "get_subscription_attributes")
    },
    "confirm_subscription": {
        "random": ({"Token": "random"}, ("InvalidParameter", "Invalid token")),
        "unknown": ({"Token": "abc123"}, "Token"),
    },
    "publish": {
        **{why: ({"TopicArn": arn}, error) for why, (arn, error) in MISSING_TOPICS.items()},
        "no target": ({}, "TopicArn or TargetArn Reason: no value for required parameter"),
        "missing device": (
            {"TargetArn": f"{ARN}:endpoint/GCM/app/0"},
            "TargetArn Reason: No endpoint found for the target arn specified",
        ),
        **{
            number: ({"PhoneNumber": number}, f"PhoneNumber Reason: {number} is not valid to publish to")
            for number in ("+1a234", "NAA+15551234567")
        },
        **{
            claim: ({"TopicArn": TOPIC} | given, reason)
            for claim, given, reason in (
                ("empty message", {"Message": ""}, "Empty message"),
                ("empty subject", {"Subject": ""}, "Subject"),
                ("subject of 101 characters", {"Subject": "x" * 101}, "Subject"),
                ("subject of two lines", {"Subject": "a\nb"}, "Subject"),
                ("256 KiB and a byte", {"Message": "x" * (256 * KIB + 1)}, "Message too long"),
                (
                    "256 KiB with attributes",
                    {"Message": "x" * (256 * KIB - 8), "MessageAttributes": {"name": TEXT}},
                    "Message too long",
                ),
                ("no default", {"MessageStructure": "json", "Message": '{"sqs": "x"}'}, NO_DEFAULT),
                ("default object", {"MessageStructure": "json", "Message": '{"default": {"a": 1}}'}, NO_DEFAULT),
                (
                    "texts that are not JSON",
                    {"MessageStructure": "json", "Message": "{"},
                    "Message Structure - JSON message body failed to parse",
                ),
                (
                    "half of a surrogate pair",
                    {"MessageStructure": "json", "Message": '{"default": "tea", "sqs": "\\ud83c"}'},
                    "Message must be UTF-8, which has no half of a surrogate pair",
                ),
                ("deduplication id", {"MessageDeduplicationId": "x"}, f"{TOKEN} for this topic type"),
                ("no group", {"TopicArn": FIFO_TOPIC}, "The MessageGroupId parameter is required for FIFO topics"),
                ("no deduplication id", {"TopicArn": FIFO_TOPIC, "MessageGroupId": "g"}, NO_ID),
            )
        },
    },
    "publish_batch": {
        claim: ({"PublishBatchRequestEntries": [ENTRY | {"Id": str(one)} for one in ids]}, (code, text))
        for claim, ids, code, text in (
            ("empty", [], "EmptyBatchRequest", "The batch request doesn't contain any entries."),
            (
                "eleven",
                range(11),
                "TooManyEntriesInBatchRequest",
                "The batch request contains more entries than permissible.",
            ),
            (
                "an id twice",
                [1, 1],
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.",
            ),
            ("blank", ["a b"], "InvalidBatchEntryId", f"{BAD_ID} contains an impermissible character: a b"),
            ("long id", ["a" * 81], "InvalidBatchEntryId", f"{BAD_ID} is too long: {'a' * 81}"),
        )
    },
    "check_if_phone_number_is_opted_out": {"number": ({"phoneNumber": "x"}, PHONE)},
    "opt_in_phone_number": {"number": ({"phoneNumber": "x"}, PHONE)},
    "set_sms_attributes": {
        "name": ({"attributes": {"NoSuch": "x"}}, ("InvalidParameter", "NoSuch is not a valid attribute")),
        **{
            f"{name} {value}": ({"attributes": {name: value}}, ("InvalidParameter", f"{name} is invalid"))
            for name, value in (
                ("DefaultSMSType", "x"),
                ("DefaultSenderID", "a" * 12),
                ("DefaultSenderID", "123"),
                ("DeliveryStatusSuccessSamplingRate", "101"),
                ("MonthlySpendLimit", "\u0661"),
            )
        },
    },
    "create_platform_application": {
        "no name": ({"Name": ""}, " Reason: cannot be empty"),
        "long name": ({"Name": "a" * 257}, f"{'a' * 257} Reason: must be at most 256 characters long"),
        "blank": ({"Name": "a b"}, f"a b Reason: {CHARACTERS}"),
        "platform": ({"Platform": "NOSUCH"}, "Platform Reason: NOSUCH is not supported"),
        "attribute": ({"Attributes": {"NoSuch": "x"}}, "Attributes Reason: Invalid attribute name: NoSuch"),
        "no principal": (
            {"Platform": "APNS"},
            "Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal",
        ),
    },
}


@pytest.mark.parametrize(
    ("action", "given", "error"),
    [
        pytest.param(action, given, error, id=f"{action}-{claim}")
        for action, claims in CLAIMS.items()
        for claim, (given, error) in claims.items()
    ],
)
def test_invalid_requests(
    shared_sns: Any, action: str, given: dict[str, Any], error: str | tuple[str, str] | None
) -> None:
    """The error has AWS's code and message."""
    code, text = refused(getattr(shared_sns, action), **(DEFAULTS.get(action, {}) | given))

    if isinstance(error, tuple):
        assert (code, text) == error
    else:
        assert code == "InvalidParameter"
        assert text.startswith("Invalid parameter: ")
        assert error in {None, text.removeprefix("Invalid parameter: ")}


@pytest.mark.parametrize("claim", MESSAGE_ATTRIBUTES)
def test_invalid_message_attributes(shared_sns: Any, claim: str) -> None:
    """Publish and the whole of a PublishBatch fail alike."""
    name, attribute, text = MESSAGE_ATTRIBUTES[claim]
    message = ENTRY | {"MessageAttributes": {name: attribute}}
    own = name == "a" and not text.startswith(("The", "Could"))
    error = ("ParameterValueInvalid", f"The message attribute 'a' {text}" if own else text)

    assert refused(shared_sns.publish, TopicArn=TOPIC, Message="m", MessageAttributes={name: attribute}) == error
    assert refused(shared_sns.publish_batch, TopicArn=TOPIC, PublishBatchRequestEntries=[message]) == error


def test_a_batch_for_a_fifo_topic(shared_sns: Any) -> None:
    """One message without a deduplication id fails the whole batch."""
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    entries = [ENTRY | ids, ENTRY | {"Id": "2", "MessageGroupId": "g"}]

    error = refused(shared_sns.publish_batch, TopicArn=FIFO_TOPIC, PublishBatchRequestEntries=entries)

    assert error == ("InvalidParameter", f"Invalid parameter: {NO_ID}")
    assert shared_sns.publish(TopicArn=FIFO_TOPIC, Message="m", **ids)["SequenceNumber"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("NoSuch", "x", "AttributeName"),
        ("RawMessageDelivery", "ValUe", "RawMessageDelivery: Invalid value [ValUe]. Must be true or false."),
        ("RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true or false."),
        (
            "FilterPolicyScope",
            "RandomValue",
            "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes",
        ),
        ("RedrivePolicy", '{"deadLetterTargetArn": "fake"}', "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
        (
            "RedrivePolicy",
            "{invalid",
            "RedrivePolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
            f"start field name\n {SOURCE} 2]",
        ),
        (
            "FilterPolicy",
            '{"object":{"key":["a"]}}',
            "Filter policy scope MessageAttributes does not support nested filter policy",
        ),
        ("FilterPolicy", '{"key_a":"v"}', f'FilterPolicy: "key_a" must be an object or an array\n {SOURCE} 11]'),
    ],
)
def test_invalid_subscription_attributes(shared_sns: Any, name: str, value: str, reason: str) -> None:
    """Subscribe has the same messages, starting with Attributes."""
    given = SUBSCRIPTION | {"Endpoint": f"{QUEUE}-invalid"}
    if name != "NoSuch":
        error = ("InvalidParameter", f"Invalid parameter: Attributes Reason: {reason}")
        assert refused(shared_sns.subscribe, **given, Attributes={name: value}) == error
    change = {"SubscriptionArn": shared_sns.subscribe(**given)["SubscriptionArn"], "AttributeName": name}

    error = refused(shared_sns.set_subscription_attributes, **change, AttributeValue=value)

    assert error == ("InvalidParameter", f"Invalid parameter: {reason}")
