"""The actions of SNS on mobile push. Credentials are stored and never used, since nothing is sent.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_CreatePlatformApplication.html
and https://docs.aws.amazon.com/sns/latest/api/API_CreatePlatformEndpoint.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from localbus.errors import not_implemented
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sns.errors import invalid
from localbus.sns.platform_application import PlatformApplication
from localbus.sns.state import Sns

MAX_NAME = 256
MAX_USER_DATA_BYTES = 2048
_PLATFORMS = {
    *("ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "GCM", "MACOS", "MACOS_SANDBOX"),
    *("MPNS", "WNS"),
}
_WITHOUT_PRINCIPAL = "GCM"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SECRETS = ("PlatformCredential", "PlatformPrincipal")
_OF_APPLICATIONS = {
    *_SECRETS,
    *("ApplePlatformBundleID", "ApplePlatformTeamID", "Enabled", "FailureFeedbackRoleArn", "SuccessFeedbackRoleArn"),
    "SuccessFeedbackSampleRate",
}
_EVENT_TOPICS = {"EventDeliveryFailure", "EventEndpointCreated", "EventEndpointDeleted", "EventEndpointUpdated"}
_OF_ENDPOINTS = {"CustomUserData", "Enabled", "Token"}


def create_platform_application(sns: Sns, params: Params, caller: Caller) -> Params:
    """CreatePlatformApplication."""
    name, platform = params["Name"], params["Platform"]
    _check_name(name)
    if platform not in _PLATFORMS:
        raise invalid(f"Platform Reason: {platform} is not supported")
    given = _validated(params["Attributes"], _OF_APPLICATIONS)
    for one, other in (_SECRETS, _SECRETS[::-1]):
        if one in given and other not in given and platform != _WITHOUT_PRINCIPAL:
            raise invalid(f"Attributes Reason: {one} attribute provided without {other}")
    attributes = {"Enabled": "true", **given}
    return {"PlatformApplicationArn": sns.platforms.create(platform, name, attributes, caller).arn}


def delete_platform_application(sns: Sns, params: Params, caller: Caller) -> Params:
    """DeletePlatformApplication. A missing application counts as deleted."""
    sns.platforms.delete(params["PlatformApplicationArn"], caller)
    return {}


def get_platform_application_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetPlatformApplicationAttributes, without secrets."""
    return {"Attributes": _public(sns.platforms.application(params["PlatformApplicationArn"], caller))}


def set_platform_application_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetPlatformApplicationAttributes."""
    application = sns.platforms.application(params["PlatformApplicationArn"], caller)
    application.attributes |= _validated(params["Attributes"], _OF_APPLICATIONS)
    sns.platforms.save(application)
    return {}


def list_platform_applications(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListPlatformApplications."""

    def show(application: PlatformApplication) -> Params:
        return {"PlatformApplicationArn": application.arn, "Attributes": _public(application)}

    own = sns.platforms.own(caller).values()
    return list_page("PlatformApplications", own, params, key=lambda one: one.arn, show=show)


def create_platform_endpoint(sns: Sns, params: Params, caller: Caller) -> Params:
    """CreatePlatformEndpoint."""
    application = sns.platforms.application(params["PlatformApplicationArn"], caller)
    given = {"Enabled": "true", "Token": params["Token"]}
    if "CustomUserData" in params:
        given["CustomUserData"] = params["CustomUserData"]
    given |= params.get("Attributes", {})
    endpoint = application.register(_validated(given, _OF_ENDPOINTS))
    sns.platforms.save_endpoint(endpoint)
    return {"EndpointArn": endpoint.arn}


def delete_endpoint(sns: Sns, params: Params, caller: Caller) -> Params:
    """DeleteEndpoint. A missing endpoint counts as deleted."""
    sns.platforms.delete_endpoint(params["EndpointArn"], caller)
    return {}


def get_endpoint_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """GetEndpointAttributes."""
    return {"Attributes": sns.platforms.endpoint(params["EndpointArn"], caller).attributes}


def set_endpoint_attributes(sns: Sns, params: Params, caller: Caller) -> Params:
    """SetEndpointAttributes."""
    endpoint = sns.platforms.endpoint(params["EndpointArn"], caller)
    endpoint.attributes |= _validated(params["Attributes"], _OF_ENDPOINTS)
    sns.platforms.save_endpoint(endpoint)
    return {}


def list_endpoints_by_platform_application(sns: Sns, params: Params, caller: Caller) -> Params:
    """ListEndpointsByPlatformApplication."""
    endpoints = sns.platforms.application(params["PlatformApplicationArn"], caller).endpoints.values()
    return list_page(
        "Endpoints",
        endpoints,
        params,
        key=lambda one: one.arn,
        show=lambda one: {"EndpointArn": one.arn, "Attributes": one.attributes},
    )


def _check_name(name: str) -> None:
    if not name:
        raise invalid(" Reason: cannot be empty")
    if len(name) > MAX_NAME:
        raise invalid(f"{name} Reason: must be at most {MAX_NAME} characters long")
    if not _NAME.fullmatch(name):
        characters = "'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"
        raise invalid(f"{name} Reason: must contain only characters {characters}")


def _validated(given: Mapping[str, str], known: set[str]) -> dict[str, str]:
    for name, value in given.items():
        if known is _OF_APPLICATIONS and name in _EVENT_TOPICS:
            if value:
                raise not_implemented("sns", f"{name}, a topic for events of endpoints,")
        elif name not in known:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name}")
    attributes = dict(given)
    if "Enabled" in attributes:
        attributes["Enabled"] = attributes["Enabled"].lower()
        if attributes["Enabled"] not in {"true", "false"}:
            raise invalid("Attributes Reason: Invalid value for attribute: Enabled: must be true or false")
    if len(attributes.get("CustomUserData", "").encode()) > MAX_USER_DATA_BYTES:
        what = f"CustomUserData: must be at most {MAX_USER_DATA_BYTES} bytes long in UTF-8 encoding"
        raise invalid(f"Attributes Reason: Invalid value for attribute: {what}")
    return attributes


def _public(application: PlatformApplication) -> dict[str, str]:
    """Return the attributes without secrets."""
    return {name: value for name, value in application.attributes.items() if name not in _SECRETS}
