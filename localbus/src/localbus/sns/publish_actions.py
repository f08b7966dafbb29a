"""Publish and PublishBatch.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and API_PublishBatch.html
"""

from __future__ import annotations

import re

from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.captured_messages import CapturedMessage
from localbus.sns.errors import invalid
from localbus.sns.message_builder import build, build_batch, direct_text
from localbus.sns.notification import Notification
from localbus.sns.state import Sns

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
    notification = build(params, topic, caller, sns.clock.now())
    sns.publisher.publish(topic, notification)
    return _receipt(notification)


def publish_batch(sns: Sns, params: Params, caller: Caller) -> Params:
    """PublishBatch."""
    topic = sns.find(params["TopicArn"], caller, "Publish")
    successful, failed = [], []
    for entry_id, built in build_batch(params["PublishBatchRequestEntries"], topic, caller, sns.clock.now()):
        if isinstance(built, AwsError):
            spec = sns.model.error_spec(built.code)
            fault = spec.fault == "Sender"
            failed.append({"Id": entry_id, "Code": spec.query_code, "Message": built.message, "SenderFault": fault})
        else:
            sns.publisher.publish(topic, built)
            successful.append({"Id": entry_id, **_receipt(built)})
    return {"Successful": successful, "Failed": failed}


def _receipt(notification: Notification) -> Params:
    number = notification.sequence_number
    return {"MessageId": notification.message_id} | ({"SequenceNumber": number} if number is not None else {})


def _publish_to_phone(sns: Sns, params: Params) -> Params:
    number = params["PhoneNumber"]
    if not _PHONE.fullmatch(number):
        raise invalid(f"PhoneNumber Reason: {number} is not valid to publish to")
    return _capture(sns, "sms", number, params, direct_text(params, "sms"))


def _publish_to_device(sns: Sns, arn: str, params: Params) -> Params:
    endpoint = sns.platforms.find_endpoint(arn)
    if endpoint is None:
        raise invalid("TargetArn Reason: No endpoint found for the target arn specified")
    if not endpoint.enabled:
        raise AwsError("EndpointDisabledException", "Endpoint is disabled")
    return _capture(sns, "application", arn, params, direct_text(params, endpoint.platform))


def _capture(sns: Sns, protocol: str, to: str, params: Params, text: str) -> Params:
    now, message_id = sns.clock.now(), new_id()
    sns.captured.add(CapturedMessage(now, protocol, to, params.get("Subject"), text, message_id))
    sns.journal.note("published", f"sms:{to}" if protocol == "sms" else to, message_id, now)
    return {"MessageId": message_id}
