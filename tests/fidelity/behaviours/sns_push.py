"""Mobile push, as far as no push service is involved."""

from __future__ import annotations

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import sns_api

GROUP = Group("SNS", "Mobile push")
behaviour = GROUP.behaviour


def _application(aws: Aws) -> str:
    given = {"Name": aws.name(), "Platform": "GCM", "Attributes": {"PlatformCredential": "x", "PlatformPrincipal": "y"}}
    return str(aws.sns.create_platform_application(**given)["PlatformApplicationArn"])


@behaviour(sns_api("CreatePlatformEndpoint", recorded=True))
def endpoint_made_twice(aws: Aws) -> None:
    """A device token has one endpoint; creating it again with a default attribute returns the same ARN."""
    given = {"PlatformApplicationArn": _application(aws), "Token": "token"}

    first = aws.sns.create_platform_endpoint(**given)["EndpointArn"]
    again = aws.sns.create_platform_endpoint(**given, Attributes={"Enabled": "true"})["EndpointArn"]

    holds(first == again, "gives another ARN")


@behaviour(sns_api("CreatePlatformEndpoint", recorded=True))
def endpoint_made_differently(aws: Aws) -> None:
    """Creating an endpoint again with other attributes is rejected."""
    given = {"PlatformApplicationArn": _application(aws), "Token": "token"}
    aws.sns.create_platform_endpoint(**given)

    says = "already exists with the same Token, but different attributes"
    refused("InvalidParameter", aws.sns.create_platform_endpoint, says=says, **given, CustomUserData="x")


@behaviour(sns_api("DeleteEndpoint", recorded=True))
def endpoint_deleted_twice(aws: Aws) -> None:
    """An endpoint can be deleted twice, and is NotFound then."""
    arn = aws.sns.create_platform_endpoint(PlatformApplicationArn=_application(aws), Token="token")["EndpointArn"]

    for _ in range(2):
        aws.sns.delete_endpoint(EndpointArn=arn)

    refused("NotFound", aws.sns.get_endpoint_attributes, EndpointArn=arn)


@behaviour(sns_api("Publish", recorded=True))
def published_to_a_disabled_one(aws: Aws) -> None:
    """Publishing to a disabled endpoint is rejected (EndpointDisabled)."""
    given = {"PlatformApplicationArn": _application(aws), "Token": "token", "Attributes": {"Enabled": "false"}}
    arn = aws.sns.create_platform_endpoint(**given)["EndpointArn"]

    same("shows", aws.sns.get_endpoint_attributes(EndpointArn=arn)["Attributes"]["Enabled"], "false")
    refused("EndpointDisabled", aws.sns.publish, TargetArn=arn, Message="m")


@behaviour(sns_api("Subscribe", recorded=True))
def subscribed_without_one(aws: Aws) -> None:
    """An endpoint that does not exist cannot be subscribed."""
    arn = aws.sns.create_platform_endpoint(PlatformApplicationArn=_application(aws), Token="token")["EndpointArn"]
    aws.sns.delete_endpoint(EndpointArn=arn)
    given = {"TopicArn": aws.topic(), "Protocol": "application", "Endpoint": arn}

    refused("InvalidParameter", aws.sns.subscribe, says="Endpoint does not exist", **given)


@behaviour(sns_api("GetPlatformApplicationAttributes", recorded=True))
def text_for_an_application(aws: Aws) -> None:
    """A text that is not an ARN is rejected as such, not as one that is missing."""
    given = {"PlatformApplicationArn": "text"}

    refused("InvalidParameter", aws.sns.get_platform_application_attributes, says="at least 6 elements", **given)


@behaviour(
    sns_api("SetPlatformApplicationAttributes", recorded=True),
    differs="The missing attributes are reported first; AWS reports the ARN",
)
def text_without_attributes(aws: Aws) -> None:
    """Without attributes, a text that is not an ARN is reported first."""
    given = {"PlatformApplicationArn": "text", "Attributes": {}}

    refused("InvalidParameter", aws.sns.set_platform_application_attributes, says="at least 6 elements", **given)


@behaviour(
    sns_api("CreatePlatformApplication"),
    differs="Topics for events of endpoints (EventEndpointCreated and others) are refused with NotImplemented",
)
def event_of_an_endpoint(aws: Aws) -> None:
    """The topic of EventEndpointCreated gets a message for each new endpoint."""
    topic, queue = aws.subscribed_topic()
    secrets = {"PlatformCredential": "c", "PlatformPrincipal": "p", "EventEndpointCreated": topic}
    given = {"Name": aws.name(), "Platform": "APNS", "Attributes": secrets}
    arn = aws.sns.create_platform_application(**given)["PlatformApplicationArn"]

    aws.sns.create_platform_endpoint(PlatformApplicationArn=arn, Token="token")

    holds(queue.take(1, within_s=0.2, settle_s=0), "publishes nothing")
