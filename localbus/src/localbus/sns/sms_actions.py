"""The actions of SNS on text messages in general. Messages are captured instead of sent, so no number opts out."""

from __future__ import annotations

import re

from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.errors import invalid
from localbus.sns.state import Sns

# https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html
_ATTRIBUTES = {
    *("DefaultSMSType", "DefaultSenderID", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate"),
    *("MonthlySpendLimit", "UsageReportS3Bucket"),
}
_DEFAULTS = {"MonthlySpendLimit": "1"}
_NUMBER = re.compile(r"\+?[0-9]{2,20}")


def set_sms_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetSMSAttributes."""
    given: dict[str, str] = params["attributes"]
    for name in given:
        if name not in _ATTRIBUTES:
            raise AwsError("InvalidParameterException", f"{name} is not a valid attribute")
    if given.get("DefaultSMSType", "Promotional") not in {"Promotional", "Transactional"}:
        raise AwsError("InvalidParameterException", "DefaultSMSType is invalid")
    sns.sms_attributes.setdefault((caller.account, caller.region), {}).update(given)
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
