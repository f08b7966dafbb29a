"""Publish and PublishBatch, and the settings of text messages. Those are captured, so no number opts out.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, API_PublishBatch.html
and API_SetSMSAttributes.html
"""

from __future__ import annotations

import re

from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.delivery import MAX_SMS_CHARACTERS, CapturedMessage
from localbus.sns.errors import invalid
from localbus.sns.message_builder import build, build_batch, direct_text
from localbus.sns.notification import Notification
from localbus.sns.state import Sns

_PHONE = re.compile(r"\+[1-9][0-9]{1,14}")
# https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html
_ATTRIBUTES = {
    "DefaultSMSType": "Promotional|Transactional",
    "DefaultSenderID": "(?=.*[A-Za-z])[A-Za-z0-9]{1,11}|",
    "DeliveryStatusIAMRole": ".*",
    "DeliveryStatusSuccessSamplingRate": "[0-9]{1,2}|100|",
    "MonthlySpendLimit": "[0-9]{1,9}|",
    "UsageReportS3Bucket": ".*",
}
_DEFAULTS = {"MonthlySpendLimit": "1"}
_NUMBER = re.compile(r"\+?[0-9]{2,20}")


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
    text = direct_text(params, "sms")
    if len(text) > MAX_SMS_CHARACTERS:
        raise invalid("Message too long")
    return _capture(sns, "sms", number, params, text)


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


def set_sms_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetSMSAttributes."""
    given: dict[str, str] = params["attributes"]
    for name, value in given.items():
        if name not in _ATTRIBUTES:
            raise AwsError("InvalidParameterException", f"{name} is not a valid attribute")
        if not re.fullmatch(_ATTRIBUTES[name], value):
            raise AwsError("InvalidParameterException", f"{name} is invalid")
    sns.change_sms_attributes(caller, given)
    return {}


def get_sms_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetSMSAttributes."""
    attributes = _DEFAULTS | sns.sms_attributes.get((caller.account, caller.region), {})
    names = params.get("attributes") or attributes
    return {"attributes": {name: attributes[name] for name in names if name in attributes}}


def check_if_phone_number_is_opted_out(_sns: Sns, params: Params, _caller: Caller) -> Params:
    """CheckIfPhoneNumberIsOptedOut."""
    _check_number(params["phoneNumber"])
    return {"isOptedOut": False}


def list_phone_numbers_opted_out(_sns: Sns, _params: Params, _caller: Caller) -> Params:
    """ListPhoneNumbersOptedOut."""
    return {"phoneNumbers": []}


def opt_in_phone_number(_sns: Sns, params: Params, _caller: Caller) -> Params:
    """OptInPhoneNumber."""
    _check_number(params["phoneNumber"])
    return {}


def _check_number(number: str) -> None:
    if not _NUMBER.fullmatch(number):
        raise invalid("PhoneNumber Reason: input incorrectly formatted")
