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
