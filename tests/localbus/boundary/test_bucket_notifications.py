"""The notification configuration of a bucket is checked as S3 checks it.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import Loader
from localbus.boundary.bucket_notifications import EVENTS, Notification, check, read_properties, read_xml
from localbus.errors import AwsError

PUT, CREATED, REMOVED = "s3:ObjectCreated:Put", "s3:ObjectCreated:*", "s3:ObjectRemoved:*"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:work"
XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <QueueConfiguration><Id>a</Id><Queue>{QUEUE}</Queue><Event>{PUT}</Event><Event>{REMOVED}</Event>
    <Filter><S3Key><FilterRule><Name>Prefix</Name><Value>in/</Value></FilterRule></S3Key></Filter>
  </QueueConfiguration>
  <EventBridgeConfiguration/>
</NotificationConfiguration>"""


def one(*events: str, **rules: str) -> Notification:
    """A notification for a queue."""
    return Notification(QUEUE, events, tuple(rules.items()))


def test_the_events_are_those_of_the_model() -> None:
    """The list of events is botocore's."""
    assert set(Loader().load_service_model("s3", "service-2")["shapes"]["Event"]["enum"]) == EVENTS


def test_reading() -> None:
    """XML and a template's properties are read alike."""
    rules = [{"Name": "prefix", "Value": "in/"}]
    configuration = {"Event": PUT, "Queue": QUEUE, "Filter": {"S3Key": {"Rules": rules}}}

    assert read_xml(XML) == [one(PUT, REMOVED, prefix="in/")]
    assert read_properties({"QueueConfigurations": [configuration]}) == [one(PUT, prefix="in/")]


@pytest.mark.parametrize(
    "configurations",
    [
        5,
        {"Event": PUT},
        [5],
        [{"Filter": "x"}],
        [{"Filter": {"S3Key": "x"}}],
        [{"Filter": {"S3Key": {"Rules": 5}}}],
        [{"Filter": {"S3Key": {"Rules": [5]}}}],
    ],
)
def test_properties_of_another_form_have_no_rules(configurations: Any) -> None:
    """The upstream, which gets them next, has the error for them."""
    assert [found.rules for found in read_properties({"QueueConfigurations": configurations})] in ([], [()])


@pytest.mark.parametrize(
    "notifications",
    [
        [one(CREATED), one(REMOVED)],
        [one(CREATED, prefix="a/"), one(CREATED, prefix="b/")],
        [one(CREATED, prefix="a/", suffix=".jpg"), one(CREATED, prefix="a/", suffix=".png")],
        [one(CREATED, prefix="a" * 1024)],
        [Notification("arn:aws:lambda:us-east-1:000000000000:function:f", ("s3:ObjectTagging:Put",))],
        [one("s3:ObjectRestore:Completed")],
        [one("s3:ReducedRedundancyLostObject")],
    ],
)
def test_accepted(notifications: list[Notification]) -> None:
    """Filters that no object can match together are accepted."""
    check(notifications)


@pytest.mark.parametrize(
    ("notifications", "code", "reason"),
    [
        ([one("s3:Nope")], "InvalidArgument", "'s3:Nope' is not supported"),
        ([one("s3:ObjectCreated:put")], "InvalidArgument", "is not supported"),
        ([one()], "InvalidArgument", "is not supported"),
        ([one(PUT, name="x")], "InvalidArgument", "either prefix or suffix"),
        ([one(PUT, prefix="a" * 1025)], "InvalidArgument", "1024 bytes"),
        ([Notification(QUEUE, (PUT,), (("prefix", "a"), ("prefix", "b")))], "InvalidArgument", "more than one prefix"),
        ([one(PUT), one(CREATED)], "InvalidArgument", "overlapping"),
        ([one(PUT, prefix="a"), one(PUT, prefix="ab")], "InvalidArgument", "overlapping"),
        ([one(PUT, prefix="a", suffix="g"), one(PUT, suffix=".jpg")], "InvalidArgument", "overlapping"),
        ([one("s3:ObjectTagging:*")], "NotImplemented", "s3:ObjectTagging:*"),
        ([one("s3:ObjectAnnotation:Put")], "NotImplemented", "s3:ObjectAnnotation:Put"),
        ([one("s3:LifecycleExpiration:Delete")], "NotImplemented", "s3:LifecycleExpiration:Delete"),
        ([one("s3:LifecycleTransition")], "NotImplemented", "s3:LifecycleTransition"),
        ([one("s3:Replication:OperationFailedReplication")], "NotImplemented", "s3:Replication:"),
    ],
)
def test_refused(notifications: list[Notification], code: str, reason: str) -> None:
    """A configuration that S3 refuses is refused, and so is an event that the upstream never sends."""
    with pytest.raises(AwsError) as raised:
        check(notifications)

    assert (raised.value.code, reason in raised.value.message) == (code, True)


def test_malformed() -> None:
    """A body that is not XML is refused."""
    with pytest.raises(AwsError) as raised:
        read_xml("<NotificationConfiguration>")

    assert raised.value.code == "MalformedXML"
