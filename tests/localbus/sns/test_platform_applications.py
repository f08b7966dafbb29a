"""Mobile push: applications, endpoints, and captured notifications.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-mobile-application-as-subscriber.html
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, journal, new_queue, refused

KEY = {"PlatformCredential": "secret"}
CHARACTERS = "'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"


@pytest.fixture
def application(sns: Any) -> str:
    """The ARN of an application of Google's service."""
    given = {"Name": "shop", "Platform": "GCM", "Attributes": KEY}
    return str(sns.create_platform_application(**given)["PlatformApplicationArn"])


def device(sns: Any, application: str, device_id: str = "token", **given: Any) -> str:
    """Return the ARN of a device's endpoint."""
    answer = sns.create_platform_endpoint(PlatformApplicationArn=application, Token=device_id, **given)
    return str(answer["EndpointArn"])


def captured(localbus: Localbus, **query: str) -> list[dict[str, Any]]:
    """Return the captured messages."""
    found: list[dict[str, Any]] = httpx.get(f"{localbus.url}/_localbus/outbox", params=query).json()["letters"]
    return found


@pytest.mark.parametrize("name", ["EventDeliveryFailure", "EventEndpointCreated", "EventEndpointDeleted"])
def test_a_topic_for_events_of_endpoints_is_refused(sns: Any, application: str, name: str) -> None:
    """Nothing would be published to it (API_SetPlatformApplicationAttributes); an empty one means none."""
    given = {name: f"arn:aws:sns:us-east-1:{ACCOUNT}:t"}
    create = {"Name": "other", "Platform": "GCM", "Attributes": KEY | given}

    assert refused(sns.create_platform_application, **create)[0] == "NotImplemented"
    arn = {"PlatformApplicationArn": application}
    assert refused(sns.set_platform_application_attributes, **arn, Attributes=given)[0] == "NotImplemented"
    sns.set_platform_application_attributes(**arn, Attributes={name: ""})


def test_an_application(localbus: Localbus, sns: Any, application: str) -> None:
    """It is created once, hides its secrets, and belongs to a region (API_CreatePlatformApplication)."""
    assert application == f"arn:aws:sns:us-east-1:{ACCOUNT}:app/GCM/shop"
    again = sns.create_platform_application(Name="shop", Platform="GCM", Attributes=KEY)
    assert again["PlatformApplicationArn"] == application

    sns.set_platform_application_attributes(
        PlatformApplicationArn=application, Attributes={"SuccessFeedbackSampleRate": "50"}
    )

    shown = {"Enabled": "true", "SuccessFeedbackSampleRate": "50"}
    assert sns.get_platform_application_attributes(PlatformApplicationArn=application)["Attributes"] == shown
    listed = sns.list_platform_applications()["PlatformApplications"]
    assert listed == [{"PlatformApplicationArn": application, "Attributes": shown}]
    elsewhere = localbus.client("sns", region="eu-central-1")
    assert elsewhere.list_platform_applications()["PlatformApplications"] == []


def test_an_application_is_deleted_with_its_endpoints(sns: Any, application: str) -> None:
    """It can be deleted twice; its endpoints are missing then (API_DeletePlatformApplication)."""
    endpoint = device(sns, application)

    for _ in range(2):
        sns.delete_platform_application(PlatformApplicationArn=application)

    error = ("NotFound", "PlatformApplication does not exist")
    assert refused(sns.get_platform_application_attributes, PlatformApplicationArn=application) == error
    assert refused(sns.create_platform_endpoint, PlatformApplicationArn=application, Token="t") == error
    assert refused(sns.list_endpoints_by_platform_application, PlatformApplicationArn=application) == error
    assert refused(sns.get_endpoint_attributes, EndpointArn=endpoint) == ("NotFound", "Endpoint does not exist")


def test_an_endpoint_is_created_once(sns: Any, application: str) -> None:
    """A token has one endpoint; a request with other attributes is rejected (recorded of AWS)."""
    endpoint = device(sns, application)

    assert endpoint.startswith(f"arn:aws:sns:us-east-1:{ACCOUNT}:endpoint/GCM/shop/")
    assert device(sns, application, Attributes={"Enabled": "true"}) == endpoint
    given = {"PlatformApplicationArn": application, "Token": "token", "CustomUserData": "ada"}
    text = f"Endpoint {endpoint} already exists with the same Token, but different attributes."
    message = f"Invalid parameter: Token Reason: {text}"
    assert refused(sns.create_platform_endpoint, **given) == ("InvalidParameter", message)


def test_an_endpoint_s_attributes(sns: Any, application: str) -> None:
    """They are shown, changed, listed and deleted with it, which can happen twice (API_SetEndpointAttributes)."""
    endpoint = device(sns, application, CustomUserData="ada")
    sns.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false", "Token": "new"})

    shown = {"Enabled": "false", "Token": "new", "CustomUserData": "ada"}
    assert sns.get_endpoint_attributes(EndpointArn=endpoint)["Attributes"] == shown
    listed = sns.list_endpoints_by_platform_application(PlatformApplicationArn=application)["Endpoints"]
    assert listed == [{"EndpointArn": endpoint, "Attributes": shown}]
    too_much = {"CustomUserData": "x" * 2049}
    assert refused(sns.set_endpoint_attributes, EndpointArn=endpoint, Attributes=too_much)[0] == "InvalidParameter"

    for _ in range(2):
        sns.delete_endpoint(EndpointArn=endpoint)

    assert refused(sns.get_endpoint_attributes, EndpointArn=endpoint) == ("NotFound", "Endpoint does not exist")


def test_publishing_to_a_device(localbus: Localbus, sns: Any, application: str) -> None:
    """It gets the text for its push service, or the default. Attributes for push services are accepted."""
    endpoint = device(sns, application)
    attributes = {"AWS.SNS.MOBILE.GCM.TTL": {"DataType": "String", "StringValue": "60"}}
    texts = json.dumps({"GCM": "for Google", "default": "for all"})

    first = sns.publish(TargetArn=endpoint, Message=texts, MessageStructure="json", MessageAttributes=attributes)
    sns.publish(TargetArn=endpoint, Message='{"GCM": "alone"}', MessageStructure="json")
    sns.publish(TargetArn=endpoint, Message="plain")

    found = captured(localbus, to=endpoint)
    assert [one["message"] for one in found] == ["for Google", "alone", "plain"]
    assert (found[0]["protocol"], found[0]["message_id"]) == ("application", first["MessageId"])
    given = {"TargetArn": endpoint, "Message": '{"APNS": "x"}', "MessageStructure": "json"}
    assert refused(sns.publish, **given)[1].endswith("No default entry in JSON message body")


def test_a_disabled_device_gets_nothing(localbus: Localbus, sns: Any, application: str) -> None:
    """Publishing to it is rejected before the message is validated (recorded of AWS)."""
    endpoint = device(sns, application, Attributes={"Enabled": "false"})

    error = refused(sns.publish, TargetArn=endpoint, Message="not JSON", MessageStructure="json")

    assert error == ("EndpointDisabled", "Endpoint is disabled")
    assert captured(localbus, to=endpoint) == []


def test_the_devices_of_a_topic(localbus: Localbus, sns: Any, application: str) -> None:
    """Each gets the text for its push service; for a disabled one it is dead-lettered (sns-dead-letter-queues)."""
    topic = sns.create_topic(Name="t")["TopicArn"]
    given = {"Name": "shop", "Platform": "APNS", "Attributes": {**KEY, "PlatformPrincipal": "certificate"}}
    apple = sns.create_platform_application(**given)["PlatformApplicationArn"]
    dead = new_queue(localbus, "dead")
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})}
    google, iphone, off = device(sns, application), device(sns, apple), device(sns, apple, "off")
    for endpoint in (google, iphone, off):
        sns.subscribe(TopicArn=topic, Protocol="application", Endpoint=endpoint, Attributes=policy)
    sns.set_endpoint_attributes(EndpointArn=off, Attributes={"Enabled": "false"})

    sns.publish(TopicArn=topic, Message='{"GCM": "g", "APNS": "a", "default": "d"}', MessageStructure="json")

    assert [(one["to"], one["message"]) for one in captured(localbus)] == [(google, "g"), (iphone, "a")]
    assert [entry["detail"] for entry in journal(localbus, event="undelivered")] == ["Endpoint is disabled"]
    assert json.loads(dead.bodies()[0])["Message"] == "d"


def test_a_missing_device_cannot_be_subscribed(sns: Any, application: str) -> None:
    """The error has AWS's spelling (recorded)."""
    topic = sns.create_topic(Name="t")["TopicArn"]
    endpoint = device(sns, application)
    sns.delete_endpoint(EndpointArn=endpoint)

    error = refused(sns.subscribe, TopicArn=topic, Protocol="application", Endpoint=endpoint)

    reason = f"Endpoint Reason: Endpoint does not exist for endpoint arn{endpoint}"
    assert error == ("InvalidParameter", f"Invalid parameter: {reason}")
