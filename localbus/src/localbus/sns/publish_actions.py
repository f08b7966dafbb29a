"""Publish and PublishBatch.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and API_PublishBatch.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.captured_messages import CapturedMessage
from localbus.sns.errors import invalid
from localbus.sns.message_builder import build, check, check_attributes, entry_bytes, text_for
from localbus.sns.topic import Topic

if TYPE_CHECKING:
    from localbus.sns.state import Sns

MAX_BATCH_ENTRIES = 10
MAX_ENTRY_ID = 80
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]+")
_PHONE = re.compile(r"\+[1-9][0-9]{1,14}")


def publish(sns: Sns, params: Params, caller: Caller) -> Params:
    """Publish."""
    if "PhoneNumber" in params:
        return _publish_to_phone(sns, params)
    arn = params.get("TopicArn", params.get("TargetArn"))
    if arn is None:
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    if "TargetArn" in params and ":endpoint/" in arn:
        return _publish_to_device(sns, arn, params)
    topic = sns.find(arn, caller, "Publish")
    return publish_entry(sns, topic, params, caller)


def publish_entry(sns: Sns, topic: Topic, entry: Params, caller: Caller) -> Params:
    """Check one message and bring it to the topic's subscriptions."""
    check(entry, topic)
    if entry_bytes(entry) > topic.max_message_bytes:
        raise invalid("Message too long")
    return _take_in(sns, topic, entry, caller)


def publish_batch(sns: Sns, params: Params, caller: Caller) -> Params:
    """PublishBatch."""
    topic = sns.find(params["TopicArn"], caller, "Publish")
    entries = params["PublishBatchRequestEntries"]
    _check_batch(entries)
    if sum(map(entry_bytes, entries)) > topic.max_message_bytes:
        text = "The length of all the messages put together is more than the limit."
        raise AwsError("BatchRequestTooLongException", text)
    for entry in entries:
        check(entry, topic)
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **_take_in(sns, topic, entry, caller)})
        except AwsError as exc:
            spec = sns.error_spec(exc.code)
            fault = spec.fault == "Sender"
            failed.append({"Id": entry["Id"], "Code": spec.query_code, "Message": exc.message, "SenderFault": fault})
    return {"Successful": successful, "Failed": failed}


def _take_in(sns: Sns, topic: Topic, entry: Params, caller: Caller) -> Params:
    now = sns.clock.now()
    notification = build(entry, topic, caller, now)
    if topic.take_in(notification, now):
        sns.publisher.publish(topic, notification)
    else:
        detail = notification.deduplication_id
        sns.journal.note("deduplicated", topic.arn, notification.message_id, now, detail)
    result: Params = {"MessageId": notification.message_id}
    if notification.sequence_number is not None:
        result["SequenceNumber"] = notification.sequence_number
    return result


def _publish_to_phone(sns: Sns, params: Params) -> Params:
    """A text message to one number, which stays in the outbox."""
    number = params["PhoneNumber"]
    if not _PHONE.fullmatch(number):
        raise invalid(f"PhoneNumber Reason: {number} is not valid to publish to")
    return _put(sns, "sms", number, params, text_for("sms", params))


def _publish_to_device(sns: Sns, arn: str, params: Params) -> Params:
    """A push notification to one device, which stays in the outbox."""
    endpoint = sns.platforms.find_endpoint(arn)
    if endpoint is None:
        raise invalid("TargetArn Reason: No endpoint found for the target arn specified")
    if not endpoint.enabled:
        raise AwsError("EndpointDisabledException", "Endpoint is disabled")
    return _put(sns, "application", arn, params, text_for(endpoint.platform, params))


def _put(sns: Sns, protocol: str, to: str, params: Params, text: str) -> Params:
    check_attributes(params.get("MessageAttributes", {}))
    now, message_id = sns.clock.now(), new_id()
    sns.captured.add(CapturedMessage(now, protocol, to, params.get("Subject"), text, message_id))
    sns.journal.note("published", f"sms:{to}" if protocol == "sms" else to, message_id, now)
    return {"MessageId": message_id}


def _check_batch(entries: list[Params]) -> None:
    """What AWS asks of a batch as a whole."""
    if not entries:
        raise AwsError("EmptyBatchRequestException", "The batch request doesn't contain any entries.")
    if len(entries) > MAX_BATCH_ENTRIES:
        text = "The batch request contains more entries than permissible."
        raise AwsError("TooManyEntriesInBatchRequestException", text)
    ids = [entry["Id"] for entry in entries]
    for entry_id in ids:
        _check_id(entry_id)
    if len(set(ids)) < len(ids):
        text = "Two or more batch entries in the request have the same Id."
        raise AwsError("BatchEntryIdsNotDistinctException", text)


def _check_id(entry_id: str) -> None:
    what = ""
    if len(entry_id) > MAX_ENTRY_ID:
        what = "is too long"
    elif not _ENTRY_ID.fullmatch(entry_id):
        what = "contains an impermissible character"
    if what:
        text = f"The Id of a batch entry in the batch request {what}: {entry_id}"
        raise AwsError("InvalidBatchEntryIdException", text)
