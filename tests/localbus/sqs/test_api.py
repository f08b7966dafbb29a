"""SQS as boto3 sees it: an engine in a thread, the AWS JSON protocol, and AWS's own words for what is wrong."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from localbus.pytest_plugin import Localbus

KIB = 1024


@pytest.fixture
def sqs(localbus: Localbus) -> Any:
    """A client of the engine."""
    return localbus.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    """The URL of an empty queue."""
    return str(sqs.create_queue(QueueName="work")["QueueUrl"])


def refused(action: Any, **given: Any) -> tuple[str, str, int]:
    """The code, the message and the HTTP status of the error that AWS answers."""
    with pytest.raises(ClientError) as raised:
        action(**given)
    error = raised.value.response["Error"]
    return str(error["Code"]), str(error["Message"]), int(raised.value.response["ResponseMetadata"]["HTTPStatusCode"])


def test_a_message_comes_through_whole(sqs: Any, url: str) -> None:
    """Body, attributes of every type and their digests, which boto3 checks itself, come back as sent."""
    attributes = {
        "text": {"DataType": "String.note", "StringValue": "grüße \U0001f600"},
        "number": {"DataType": "Number", "StringValue": "-1.5e3"},
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    }
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="line\nline\ttab <&> \U0001f680",
        MessageAttributes=attributes,
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}},
    )

    [received] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])[
        "Messages"
    ]

    assert received["Body"] == "line\nline\ttab <&> \U0001f680"
    assert received["MessageAttributes"] == attributes
    assert received["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert received["Attributes"]["AWSTraceHeader"] == "Root=1-2-3"
    assert sent["MD5OfMessageSystemAttributes"]


def test_the_digest_of_attributes_is_aws_s(sqs: Any, url: str) -> None:
    """Recorded of AWS: three String attributes and their digest, and that of those asked for by prefix."""
    names = {"General": "Kenobi", "Hello": "There", "Help.Me": "Me"}
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in names.items()}

    sent = sqs.send_message(QueueUrl=url, MessageBody="msg", MessageAttributes=attributes)
    [received] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["Hel.*"])["Messages"]

    assert sent["MD5OfMessageAttributes"] == "4c360f3fdafd970e05fae2f149d997f5"
    assert received["MD5OfMessageAttributes"] == "83fee93c1bcd8b9a5a923ffacdc636c7"
    assert set(received["MessageAttributes"]) == {"Hello", "Help.Me"}


def test_the_digest_of_system_attributes_is_aws_s(sqs: Any, url: str) -> None:
    """Recorded of AWS: a trace header has a digest of its own, and none in that of the attributes."""
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="test",
        MessageSystemAttributes={"AWSTraceHeader": {"StringValue": header, "DataType": "String"}},
    )

    assert sent["MD5OfMessageSystemAttributes"] == "5ae4d5d7636402d80f4eb6d213245a88"
    assert "MD5OfMessageAttributes" not in sent


def test_a_queue_s_name_will_do_for_its_url(sqs: Any, url: str) -> None:
    """AWS takes a name in place of the URL (recorded of AWS); what is neither is no address."""
    sqs.send_message(QueueUrl="work", MessageBody="b")

    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "b"
    assert refused(sqs.send_message, QueueUrl="http://host/nothing", MessageBody="b")[0] == "InvalidAddress"


def test_names_of_attributes_may_have_any_letters(sqs: Any, url: str) -> None:
    """AWS takes letters of any alphabet, and neither blanks nor signs (recorded of AWS)."""

    def attributes(name: str, value: str = "v") -> dict[str, dict[str, str]]:
        return {name: {"DataType": "String", "StringValue": value}}

    sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes=attributes("attr.1øßä"))

    for name in ("a!", "a§", "a(", ".a", "a.", "aWs.a", "AMAZON.a", "a" * 257):
        code = refused(sqs.send_message, QueueUrl=url, MessageBody="b", MessageAttributes=attributes(name))[0]
        assert code == "InvalidParameterValue"
    bad = attributes("a", "\x08")
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="b", MessageAttributes=bad)[0] == "InvalidParameterValue"


def test_an_empty_queue_answers_without_messages(sqs: Any, url: str) -> None:
    """A receive that finds nothing has no member Messages."""
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"MessageBody": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        ({"MessageBody": "\x00"}, "InvalidMessageContents", "Invalid characters found"),
        ({"DelaySeconds": 901}, "InvalidParameterValue", "DelaySeconds must be >= 0 and <= 900"),
        ({"MessageDeduplicationId": "x"}, "InvalidParameterValue", "not valid for this queue type"),
        ({"MessageGroupId": "a b"}, "InvalidParameterValue", "alphanumeric and punctuation characters"),
        (
            {"MessageAttributes": {"n": {"DataType": "Number", "StringValue": "many"}}},
            "InvalidParameterValue",
            "Can't cast the value",
        ),
        (
            {"MessageAttributes": {"e": {"DataType": "String", "StringValue": ""}}},
            "InvalidParameterValue",
            "Message (user) attribute 'e' must contain a non-empty value of type 'String'.",
        ),
        (
            {"MessageAttributes": {"AWS.x": {"DataType": "String", "StringValue": "v"}}},
            "InvalidParameterValue",
            "name 'AWS.x' is invalid",
        ),
        (
            {"MessageAttributes": {f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)}},
            "InvalidParameterValue",
            "Number of message attributes [11] exceeds the allowed maximum [10].",
        ),
    ],
)
def test_what_a_message_may_not_be(sqs: Any, url: str, given: Any, code: str, message: str) -> None:
    """Each limit of API_SendMessage is kept, and told in AWS's words."""
    answer = refused(sqs.send_message, **({"QueueUrl": url, "MessageBody": "b"} | given))

    assert answer[0] == code
    assert message in answer[1]
    assert answer[2] == 400


def test_a_message_has_a_mebibyte_with_its_attributes(sqs: Any, url: str) -> None:
    """1,048,576 bytes with names, types and values of the attributes (quotas-messages)."""
    attributes = {"k": {"DataType": "String", "StringValue": "x"}}
    body = "a" * (KIB * KIB - len("kStringx"))

    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)

    code, message, _ = refused(sqs.send_message, QueueUrl=url, MessageBody=body + "a", MessageAttributes=attributes)
    assert code == "InvalidParameterValue"
    assert message == "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."


def test_a_batch_words_a_long_message_in_its_own_way(sqs: Any) -> None:
    """An entry that is longer than the queue allows fails alone, and not in the words of a single send (recorded)."""
    url = sqs.create_queue(QueueName="short", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    entries = [{"Id": "fits", "MessageBody": "a" * KIB}, {"Id": "long", "MessageBody": "a" * (KIB + 1)}]

    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)

    assert [entry["Id"] for entry in answer["Successful"]] == ["fits"]
    text = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."
    failed = {"Id": "long", "SenderFault": True, "Code": "InvalidParameterValue", "Message": text}
    assert answer["Failed"] == [failed]


def test_a_batch_has_a_mebibyte_in_all(sqs: Any, url: str) -> None:
    """The limit of a batch is that of one message (sqs-batch-api-actions)."""
    entries = [{"Id": str(n), "MessageBody": "a" * (KIB * KIB // 2)} for n in range(2)]
    assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 2
    entries[0]["MessageBody"] += "a"

    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=entries) == (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
        400,
    )


@pytest.mark.parametrize(
    ("ids", "code", "message"),
    [
        ([], "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."),
        (
            list(range(11)),
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        (["a", "a"], "BatchEntryIdsNotDistinct", "Id a repeated."),
        (
            ["a:b"],
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        ),
    ],
)
def test_what_a_batch_may_not_be(sqs: Any, url: str, ids: list[Any], code: str, message: str) -> None:
    """A batch as a whole is refused before any of it is done (API_SendMessageBatch)."""
    entries = [{"Id": str(one), "MessageBody": "b"} for one in ids]

    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=entries) == (
        f"AWS.SimpleQueueService.{code}",
        message,
        400,
    )


def test_a_batch_can_fail_in_part(sqs: Any, url: str) -> None:
    """One bad entry is told, the others are sent (API_SendMessageBatch, BatchResultErrorEntry)."""
    entries = [{"Id": "good", "MessageBody": "b"}, {"Id": "bad", "MessageBody": "b", "DelaySeconds": 1000}]

    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)

    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "InvalidParameterValue", True)


def test_a_batch_without_failures_names_none(sqs: Any, url: str) -> None:
    """Of the lists of what was done and what was not, an empty one is left out, as AWS does.

    Recorded in LocalStack's tests/aws/services/sqs/test_sqs.snapshot.json (oversized contents, updated maximum size).
    """
    done = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "b"}])
    not_done = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": "garbage"}])

    assert "Failed" not in done
    assert "Successful" not in not_done


def test_batches_of_deletes_and_visibility(sqs: Any, url: str) -> None:
    """Each entry of a batch is answered for itself (API_DeleteMessageBatch, API_ChangeMessageVisibilityBatch)."""
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(3)])
    handles = [m["ReceiptHandle"] for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]

    back = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=[{"Id": "0", "ReceiptHandle": handles[0], "VisibilityTimeout": 0}]
    )
    gone = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "1", "ReceiptHandle": handles[1]}, {"Id": "2", "ReceiptHandle": "no handle"}],
    )

    assert [entry["Id"] for entry in back["Successful"]] == ["0"]
    assert [entry["Id"] for entry in gone["Successful"]] == ["1"]
    assert [(entry["Id"], entry["Code"]) for entry in gone["Failed"]] == [("2", "ReceiptHandleIsInvalid")]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("1", "1")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10,",
        ),
        (
            {"WaitTimeSeconds": 21},
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        ({"VisibilityTimeout": 43_201}, "Value 43201 for parameter VisibilityTimeout is invalid."),
    ],
)
def test_what_a_receive_may_not_ask(sqs: Any, url: str, given: Any, message: str) -> None:
    """The ranges of API_ReceiveMessage are kept."""
    code, text, _ = refused(sqs.receive_message, QueueUrl=url, **given)

    assert code == "InvalidParameterValue"
    assert text.startswith(message)


def test_an_attempt_id_has_128_characters(sqs: Any) -> None:
    """Letters, digits and punctuation (API_ReceiveMessage, ReceiveRequestAttemptId)."""
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sqs.receive_message(QueueUrl=url, ReceiveRequestAttemptId="x" * 128)

    for attempt_id in ("x" * 129, "a b", ""):
        code, message, _ = refused(sqs.receive_message, QueueUrl=url, ReceiveRequestAttemptId=attempt_id)
        assert code == "InvalidParameterValue"
        assert "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters" in message


def test_no_such_queue(sqs: Any, localbus: Localbus) -> None:
    """The code and the message of the JSON protocol (recorded of AWS)."""
    expected = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", 400)

    assert refused(sqs.get_queue_url, QueueName="none") == expected
    assert refused(sqs.send_message, QueueUrl=f"{localbus.url}/000000000000/none", MessageBody="b") == expected


def test_queue_names(sqs: Any) -> None:
    """A name has 1 to 80 letters, digits, hyphens and underscores, and .fifo just for FIFO (API_CreateQueue)."""
    for name in ("a b", "x" * 81, "q.fifo", ""):
        assert refused(sqs.create_queue, QueueName=name)[0] == "InvalidParameterValue"
    assert refused(sqs.create_queue, QueueName="q", Attributes={"FifoQueue": "true"})[0] == "InvalidParameterValue"
    assert refused(sqs.create_queue, QueueName="q", Attributes={"FifoQueue": "false"})[0] == "InvalidAttributeName"


def test_the_same_queue_is_found_again(sqs: Any, url: str) -> None:
    """Creating a queue again gives its URL, unless an attribute differs (API_CreateQueue)."""
    assert sqs.create_queue(QueueName="work", Attributes={"DelaySeconds": "0"})["QueueUrl"] == url

    assert refused(sqs.create_queue, QueueName="work", Attributes={"DelaySeconds": "5"}) == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
        400,
    )


def test_a_deleted_queue_s_name_rests_for_a_minute(sqs: Any, url: str, localbus: Localbus) -> None:
    """The name is free again after 60 seconds (API_DeleteQueue)."""
    sqs.delete_queue(QueueUrl=url)

    assert refused(sqs.create_queue, QueueName="work")[0] == "AWS.SimpleQueueService.QueueDeletedRecently"
    localbus.advance(60)
    assert sqs.create_queue(QueueName="work")["QueueUrl"] == url


def test_purging_twice_within_a_minute_is_refused(sqs: Any, url: str, localbus: Localbus) -> None:
    """One purge in 60 seconds (API_PurgeQueue; the message is recorded of AWS)."""
    sqs.purge_queue(QueueUrl=url)

    assert refused(sqs.purge_queue, QueueUrl=url) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        "Only one PurgeQueue operation on work is allowed every 60 seconds.",
        403,
    )
    localbus.advance(60)
    sqs.purge_queue(QueueUrl=url)


def test_attributes_of_a_queue(sqs: Any, url: str, localbus: Localbus) -> None:
    """Attributes are set, shown, and refused where they may not be so (API_SetQueueAttributes)."""
    localbus.advance(5)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "69", "MaximumMessageSize": "2048"})

    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    assert shown["VisibilityTimeout"] == "69"
    assert shown["MaximumMessageSize"] == "2048"
    assert int(shown["LastModifiedTimestamp"]) - int(shown["CreatedTimestamp"]) == 5
    assert shown["QueueArn"] == "arn:aws:sqs:us-east-1:000000000000:work"
    for name, value in {"DelaySeconds": "901", "VisibilityTimeout": "-1", "MessageRetentionPeriod": "59"}.items():
        code, message, _ = refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: value})
        assert (code, message) == ("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    for name in ("QueueArn", "ContentBasedDeduplication", "Nonsense"):
        code, message, _ = refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: "true"})
        assert (code, message) == ("InvalidAttributeName", f"Unknown Attribute {name}.")


@pytest.mark.parametrize("name", ["DeduplicationScope", "FifoThroughputLimit"])
def test_high_throughput_is_for_fifo_queues(sqs: Any, url: str, name: str) -> None:
    """AWS words this otherwise than for the other attributes of FIFO queues (recorded of AWS)."""
    for action, target in ((sqs.set_queue_attributes, {"QueueUrl": url}), (sqs.create_queue, {"QueueName": "q"})):
        code, message, _ = refused(action, **target, Attributes={name: "queue"})

        assert (code, message) == (
            "InvalidAttributeName",
            f"You can specify the {name} only when FifoQueue is set to true.",
        )


@pytest.mark.parametrize("way_back", [{"SqsManagedSseEnabled": "true"}, {"KmsMasterKeyId": ""}])
def test_a_key_takes_the_place_of_sqs_s_own_and_goes_with_all_that_is_its(
    sqs: Any, url: str, way_back: dict[str, str]
) -> None:
    """A queue has one encryption (API_SetQueueAttributes); a reuse period goes with its key (recorded of AWS)."""

    def encryption() -> dict[str, str]:
        shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {name: value for name, value in shown.items() if "Kms" in name or "Sse" in name}

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "60"})
    with_key = encryption()
    sqs.set_queue_attributes(QueueUrl=url, Attributes=way_back)

    assert with_key == {
        "KmsMasterKeyId": "k",
        "KmsDataKeyReusePeriodSeconds": "60",
        "SqsManagedSseEnabled": "false",
    }
    assert encryption() == {"SqsManagedSseEnabled": way_back.get("SqsManagedSseEnabled", "false")}


def test_two_encryptions_at_a_time_are_refused(sqs: Any) -> None:
    """KMS and SQS's own encryption exclude each other (recorded of AWS)."""
    both = {"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"}

    code, message, _ = refused(sqs.create_queue, QueueName="q", Attributes=both)

    assert code == "InvalidAttributeName"
    assert message.startswith("You can use one type of server-side encryption (SSE) at one time.")


def test_fifo_needs_a_group_and_a_token(sqs: Any) -> None:
    """What a FIFO send must name, and how AWS says so (recorded of AWS)."""
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    assert refused(sqs.send_message, QueueUrl=url, MessageBody="b") == (
        "MissingParameter",
        "The request must contain the parameter MessageGroupId.",
        400,
    )
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="b", MessageGroupId="g") == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        400,
    )
    given = {"QueueUrl": url, "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    assert refused(sqs.send_message, **(given | {"MessageDeduplicationId": ""})) == (
        "InvalidParameterValue",
        "Value  for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include "
        "alphanumeric and punctuation characters. 1 to 128 in length.",
        400,
    )
    assert "not valid for this queue type" in refused(sqs.send_message, **given, DelaySeconds=2)[1]
    sent = sqs.send_message(**given)
    [received] = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert received["Attributes"]["SequenceNumber"] == sent["SequenceNumber"]
    assert received["Attributes"]["MessageGroupId"] == "g"


def test_a_batch_lacks_a_group_by_another_code(sqs: Any) -> None:
    """The words are those of a single send, the code is not (recorded of AWS)."""
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    entry = {"MessageBody": "b", "MessageDeduplicationId": "d"}

    refusal = refused(
        sqs.send_message_batch,
        QueueUrl=url,
        Entries=[{"Id": "1", **entry, "MessageGroupId": "g"}, {"Id": "2", **entry}],
    )

    assert refusal == ("InvalidParameterValue", "The request must contain the parameter MessageGroupId.", 400)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_fifo_queue_stays_one(sqs: Any) -> None:
    """The type of a queue is not changed (recorded of AWS)."""
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "false"})[1] == (
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    )


def redrive_policy(arn: str, count: Any = 1) -> dict[str, str]:
    """The attribute that makes that queue take the dead letters."""
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})}


def test_redrive_policies(sqs: Any, url: str) -> None:
    """A dead-letter queue must exist, be of the same type, and want the letters (sqs-dead-letter-queues)."""
    arn = "arn:aws:sqs:us-east-1:000000000000:"
    sqs.create_queue(QueueName="fifo.fifo", Attributes={"FifoQueue": "true"})
    sqs.create_queue(QueueName="unwilling", Attributes={"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'})
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]

    def set_policy(**given: Any) -> tuple[str, str, int]:
        return refused(sqs.set_queue_attributes, QueueUrl=url, Attributes=redrive_policy(**given))

    assert "Dead letter target does not exist." in set_policy(arn=f"{arn}none")[1]
    assert "same type" in set_policy(arn=f"{arn}fifo.fifo")[1]
    assert "does not allow" in set_policy(arn=f"{arn}unwilling")[1]
    assert "Invalid value for maxReceiveCount: 1001" in set_policy(arn=f"{arn}dead", count=1001)[1]
    assert set_policy(arn="dummy", count=42)[1] == (
        'Value {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42} for parameter RedrivePolicy is invalid. '
        "Reason: Invalid value for deadLetterTargetArn."
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes=redrive_policy(f"{arn}dead", "7"))
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    assert json.loads(shown) == {"deadLetterTargetArn": f"{arn}dead", "maxReceiveCount": 7}


def test_tags(sqs: Any, url: str) -> None:
    """Tags are added, overwritten and taken away (API_TagQueue)."""
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2", "c": ""})
    sqs.tag_queue(QueueUrl=url, Tags={"a": "3"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["b", "not there"])

    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "3", "c": ""}


def test_listing_by_pages(sqs: Any) -> None:
    """A page ends with a token when more is there (API_ListQueues)."""
    urls = [sqs.create_queue(QueueName=f"q{n}")["QueueUrl"] for n in range(5)]
    sqs.create_queue(QueueName="other")

    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="q", PaginationConfig={"PageSize": 2})

    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:4], urls[4:]]


def test_accounts_and_regions_lie_side_by_side(localbus: Localbus) -> None:
    """The same name is another queue in another account or region."""
    home = localbus.client("sqs")
    away = localbus.client("sqs", region="eu-central-1")
    theirs = localbus.client("sqs", account="111111111111")
    urls = [client.create_queue(QueueName="q")["QueueUrl"] for client in (home, away, theirs)]

    home.send_message(QueueUrl=urls[0], MessageBody="home")

    assert urls[0] == urls[1] != urls[2]
    assert "Messages" not in away.receive_message(QueueUrl=urls[1])
    assert "Messages" not in theirs.receive_message(QueueUrl=urls[2])
    assert home.receive_message(QueueUrl=urls[0])["Messages"][0]["Body"] == "home"


def test_another_account_needs_a_permission(localbus: Localbus) -> None:
    """AddPermission lets another account do these actions and no others (API_AddPermission; policy recorded of AWS)."""
    owner, other = localbus.client("sqs"), localbus.client("sqs", account="111111111111")
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    assert refused(other.send_message, QueueUrl=url, MessageBody="b")[0] == "AccessDenied"

    owner.add_permission(QueueUrl=url, Label="send", AWSAccountIds=["111111111111"], Actions=["SendMessage"])

    other.send_message(QueueUrl=url, MessageBody="b")
    assert refused(other.receive_message, QueueUrl=url)[0] == "AccessDenied"
    assert refused(other.delete_queue, QueueUrl=url)[0] == "AccessDenied"
    policy = json.loads(owner.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    arn = "arn:aws:sqs:us-east-1:000000000000:q"
    assert policy == {
        "Version": "2008-10-17",
        "Id": f"{arn}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "send",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "SQS:SendMessage",
                "Resource": arn,
            }
        ],
    }
    again = {"QueueUrl": url, "Label": "send", "AWSAccountIds": ["111111111111"], "Actions": ["*"]}
    assert refused(owner.add_permission, **again)[1] == (
        "Value send for parameter Label is invalid. Reason: Already exists."
    )
    owner.remove_permission(QueueUrl=url, Label="send")
    assert refused(other.send_message, QueueUrl=url, MessageBody="b")[0] == "AccessDenied"
    assert "can't find label" in refused(owner.remove_permission, QueueUrl=url, Label="send")[1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"Actions": ["SendMessageBatch"]},
            "Value SQS:SendMessageBatch for parameter ActionName is invalid. "
            "Reason: Please refer to the appropriate WSDL for a list of valid actions.",
        ),
        (
            {"AWSAccountIds": ["nobody"]},
            "Value nobody for parameter PrincipalId is invalid. Reason: Unable to verify principal.",
        ),
        ({"Label": "a b"}, "Value a b for parameter Label is invalid. Reason: Can only include alphanumeric"),
    ],
)
def test_what_a_permission_may_not_be(sqs: Any, url: str, given: Any, message: str) -> None:
    """The value comes before the parameter, and a batch has no permission of its own (API_AddPermission)."""
    valid = {"Label": "l", "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage"]}

    code, text, _ = refused(sqs.add_permission, QueueUrl=url, **{**valid, **given})

    assert code == "InvalidParameterValue"
    assert text.startswith(message)


def test_a_long_poll_ends_when_a_message_comes(localbus: Localbus, url: str, sqs: Any) -> None:
    """A waiting receive is answered when a delayed message is due, long before its own time is over."""
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=15)
    started = time.monotonic()
    timer = threading.Timer(0.2, lambda: localbus.advance(15))
    timer.start()

    [received] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]

    assert received["Body"] == "later"
    assert time.monotonic() - started < 5
    timer.join()


def test_the_trace_header_of_a_request(localbus: Localbus) -> None:
    """X-Amzn-Trace-Id is the AWSTraceHeader of every message of the request that has none (xray-services-sqs)."""
    sqs = localbus.client("sqs")
    url = sqs.create_queue(QueueName="traced")["QueueUrl"]
    own = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=own"}}
    entries = [
        {"Id": "a", "MessageBody": "a"},
        {"Id": "b", "MessageBody": "b", "MessageSystemAttributes": own},
    ]
    headers = {"X-Amzn-Trace-Id": "Root=1-2-3"}

    one = httpx.post(
        localbus.url,
        json={"QueueUrl": url, "MessageBody": "one"},
        headers={**headers, "X-Amz-Target": "AmazonSQS.SendMessage"},
    )
    many = httpx.post(
        localbus.url,
        json={"QueueUrl": url, "Entries": entries},
        headers={**headers, "X-Amz-Target": "AmazonSQS.SendMessageBatch"},
    )

    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
    traces = {message["Body"]: message["Attributes"]["AWSTraceHeader"] for message in answer["Messages"]}
    assert traces == {"one": "Root=1-2-3", "a": "Root=1-2-3", "b": "Root=own"}
    assert "MD5OfMessageSystemAttributes" not in one.json()
    assert ["MD5OfMessageSystemAttributes" in entry for entry in many.json()["Successful"]] == [False, True]
