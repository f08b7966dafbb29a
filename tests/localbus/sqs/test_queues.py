"""Queues as boto3 creates, finds, configures and deletes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import error_of, refused

ARN = "arn:aws:sqs:us-east-1:000000000000:"


def shown(sqs: Any, url: str, *names: str) -> dict[str, str]:
    """The named attributes of a queue, or all."""
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names or ["All"])["Attributes"]
    return attributes


def test_no_such_queue(sqs: Any, localbus: Localbus) -> None:
    """The code and the message of the JSON protocol (recorded from AWS)."""
    expected = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", 400)

    assert error_of(sqs.get_queue_url, QueueName="none") == expected
    assert error_of(sqs.send_message, QueueUrl=f"{localbus.url}/000000000000/none", MessageBody="b") == expected


@pytest.mark.parametrize(
    ("name", "attributes", "code"),
    [
        ("a b", {}, "InvalidParameterValue"),
        ("x" * 81, {}, "InvalidParameterValue"),
        ("q.fifo", {}, "InvalidParameterValue"),
        ("", {}, "InvalidParameterValue"),
        ("q", {"FifoQueue": "true"}, "InvalidParameterValue"),
        ("q", {"FifoQueue": "false"}, "InvalidAttributeName"),
    ],
)
def test_invalid_names(sqs: Any, name: str, attributes: dict[str, str], code: str) -> None:
    """A name has 1 to 80 letters, digits, hyphens and underscores, and .fifo only for FIFO (API_CreateQueue)."""
    assert refused(sqs.create_queue, QueueName=name, Attributes=attributes)[0] == code


def test_the_same_queue_is_found_again(sqs: Any, url: str) -> None:
    """Creating a queue again returns its URL, unless an attribute differs (API_CreateQueue)."""
    assert sqs.create_queue(QueueName="work", Attributes={"DelaySeconds": "0"})["QueueUrl"] == url

    assert error_of(sqs.create_queue, QueueName="work", Attributes={"DelaySeconds": "5"}) == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
        400,
    )


def test_a_deleted_queue_s_name_is_reserved_for_a_minute(sqs: Any, url: str, localbus: Localbus) -> None:
    """The name is free again after 60 seconds (API_DeleteQueue)."""
    sqs.delete_queue(QueueUrl=url)

    assert refused(sqs.create_queue, QueueName="work")[0] == "AWS.SimpleQueueService.QueueDeletedRecently"
    localbus.advance(60)
    assert sqs.create_queue(QueueName="work")["QueueUrl"] == url


def test_one_purge_a_minute(sqs: Any, url: str, localbus: Localbus) -> None:
    """A second purge within 60 seconds is rejected (API_PurgeQueue; the message is recorded from AWS)."""
    sqs.purge_queue(QueueUrl=url)

    assert error_of(sqs.purge_queue, QueueUrl=url) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        "Only one PurgeQueue operation on work is allowed every 60 seconds.",
        403,
    )
    localbus.advance(60)
    sqs.purge_queue(QueueUrl=url)


def test_attributes_of_a_queue(sqs: Any, url: str, localbus: Localbus) -> None:
    """Attributes are set and shown, with the time of the change (API_SetQueueAttributes)."""
    localbus.advance(5)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "69", "MaximumMessageSize": "2048"})

    attributes = shown(sqs, url)

    assert (attributes["VisibilityTimeout"], attributes["MaximumMessageSize"]) == ("69", "2048")
    assert int(attributes["LastModifiedTimestamp"]) - int(attributes["CreatedTimestamp"]) == 5
    assert attributes["QueueArn"] == f"{ARN}work"


INVALID_VALUE = ("InvalidAttributeValue", "Invalid value for the parameter {}.")
UNKNOWN_NAME = ("InvalidAttributeName", "Unknown Attribute {}.")
FIFO_ONLY = ("InvalidAttributeName", "You can specify the {} only when FifoQueue is set to true.")


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("DelaySeconds", "901", INVALID_VALUE),
        ("VisibilityTimeout", "-1", INVALID_VALUE),
        ("MessageRetentionPeriod", "59", INVALID_VALUE),
        ("QueueArn", "true", UNKNOWN_NAME),
        ("ContentBasedDeduplication", "true", UNKNOWN_NAME),
        ("Nonsense", "true", UNKNOWN_NAME),
        ("DeduplicationScope", "queue", FIFO_ONLY),
        ("FifoThroughputLimit", "queue", FIFO_ONLY),
    ],
)
def test_invalid_attributes(sqs: Any, url: str, name: str, value: str, error: tuple[str, str]) -> None:
    """Errors of a standard queue's attributes; AWS has its own for high throughput (recorded from AWS)."""
    expected = (error[0], error[1].format(name))

    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: value}) == expected
    assert refused(sqs.create_queue, QueueName="q", Attributes={name: value}) == expected


@pytest.mark.parametrize("change_back", [{"SqsManagedSseEnabled": "true"}, {"KmsMasterKeyId": ""}])
def test_a_queue_has_one_encryption(sqs: Any, url: str, change_back: dict[str, str]) -> None:
    """A KMS key replaces SQS's own; its reuse period, by default 300 s, goes with it (recorded from AWS)."""

    def encryption() -> dict[str, str]:
        return {name: value for name, value in shown(sqs, url).items() if "Kms" in name or "Sse" in name}

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "k"})
    assert encryption()["KmsDataKeyReusePeriodSeconds"] == "300"
    key = {"KmsMasterKeyId": "k", "KmsDataKeyReusePeriodSeconds": "60"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=key)
    with_key = encryption()
    sqs.set_queue_attributes(QueueUrl=url, Attributes=change_back)

    assert with_key == key | {"SqsManagedSseEnabled": "false"}
    assert encryption() == {"SqsManagedSseEnabled": change_back.get("SqsManagedSseEnabled", "false")}


def test_two_encryptions_at_a_time_are_rejected(sqs: Any) -> None:
    """KMS and SQS's own encryption exclude each other (recorded from AWS)."""
    both = {"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"}

    code, message = refused(sqs.create_queue, QueueName="q", Attributes=both)

    assert code == "InvalidAttributeName"
    assert message.startswith("You can use one type of server-side encryption (SSE) at one time.")


def test_a_fifo_queue_stays_one(sqs: Any, fifo_url: str) -> None:
    """The type of a queue cannot be changed (recorded from AWS)."""
    assert refused(sqs.set_queue_attributes, QueueUrl=fifo_url, Attributes={"FifoQueue": "false"})[1] == (
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    )


def redrive_policy(arn: str, count: Any = 1) -> dict[str, str]:
    """The attribute that sends dead letters to a queue."""
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})}


@pytest.mark.parametrize(
    ("arn", "count", "reason"),
    [
        (f"{ARN}none", 1, "Dead letter target does not exist."),
        (f"{ARN}q.fifo", 1, "same type"),
        (f"{ARN}unwilling", 1, "does not allow"),
        (f"{ARN}work", 1001, "Invalid value for maxReceiveCount: 1001"),
        (
            "dummy",
            42,
            'Value {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42} for parameter RedrivePolicy is invalid. '
            "Reason: Invalid value for deadLetterTargetArn.",
        ),
    ],
)
@pytest.mark.usefixtures("fifo_url")
def test_invalid_redrive_policies(sqs: Any, url: str, arn: str, count: int, reason: str) -> None:
    """A dead-letter queue must exist, be of the same type and allow the source (sqs-dead-letter-queues)."""
    sqs.create_queue(QueueName="unwilling", Attributes={"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'})

    assert reason in refused(sqs.set_queue_attributes, QueueUrl=url, Attributes=redrive_policy(arn, count))[1]


def test_a_redrive_permission_is_a_text(sqs: Any, url: str) -> None:
    """A list for redrivePermission is an invalid value (API_SetQueueAttributes)."""
    attributes = {"RedriveAllowPolicy": '{"redrivePermission": ["byQueue"]}'}

    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes)[0] == "InvalidParameterValue"


def test_a_redrive_policy_is_shown_with_a_number(sqs: Any, url: str) -> None:
    """The count may be sent as a text, and the dead-letter queue lists its sources (sqs-dead-letter-queues)."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]

    sqs.set_queue_attributes(QueueUrl=url, Attributes=redrive_policy(f"{ARN}dead", "7"))

    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    policy = json.loads(shown(sqs, url, "RedrivePolicy")["RedrivePolicy"])
    assert policy == {"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 7}


def test_tags(sqs: Any, url: str) -> None:
    """Tags are added, overwritten and removed (API_TagQueue)."""
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2", "c": ""})
    sqs.tag_queue(QueueUrl=url, Tags={"a": "3"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["b", "not there"])

    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "3", "c": ""}


def test_listing_by_pages(sqs: Any) -> None:
    """A page has a token as long as there are more (API_ListQueues)."""
    urls = [sqs.create_queue(QueueName=f"q{n}")["QueueUrl"] for n in range(5)]
    sqs.create_queue(QueueName="other")

    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="q", PaginationConfig={"PageSize": 2})

    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:4], urls[4:]]
    assert refused(sqs.list_queues, NextToken="?")[1] == "Invalid or expired next token."


def test_accounts_and_regions_are_separate(localbus: Localbus) -> None:
    """The same name is another queue in another account or region."""
    clients = [localbus.client("sqs", **given) for given in ({}, {"region": "eu-central-1"}, {"account": "1" * 12})]
    urls = [client.create_queue(QueueName="q")["QueueUrl"] for client in clients]

    clients[0].send_message(QueueUrl=urls[0], MessageBody="home")

    assert urls[0] == urls[1] != urls[2]
    answers = [client.receive_message(QueueUrl=url) for client, url in zip(clients, urls, strict=True)]
    assert [len(answer.get("Messages", [])) for answer in answers] == [1, 0, 0]
