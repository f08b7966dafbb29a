"""The SNS API: actions by name, the wording of its validation errors, and the service that the router calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from localbus.errors import AwsError
from localbus.protocol.constraints import Violation
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Params
from localbus.sns import platform_actions, publish_actions, subscription_actions, topic_actions
from localbus.sns.errors import invalid
from localbus.sns.state import Sns

INVALID_TOKEN = (
    "InvalidParameterException",
    "Invalid parameter: NextToken Reason: the token is not one that this action has returned",
)

ACTIONS: dict[str, Callable[[Sns, Params, Caller], Params | Awaitable[Params]]] = {
    "AddPermission": topic_actions.add_permission,
    "CheckIfPhoneNumberIsOptedOut": publish_actions.check_if_phone_number_is_opted_out,
    "ConfirmSubscription": subscription_actions.confirm_subscription,
    "CreatePlatformApplication": platform_actions.create_platform_application,
    "CreatePlatformEndpoint": platform_actions.create_platform_endpoint,
    "CreateTopic": topic_actions.create_topic,
    "DeleteEndpoint": platform_actions.delete_endpoint,
    "DeletePlatformApplication": platform_actions.delete_platform_application,
    "DeleteTopic": topic_actions.delete_topic,
    "GetEndpointAttributes": platform_actions.get_endpoint_attributes,
    "GetPlatformApplicationAttributes": platform_actions.get_platform_application_attributes,
    "GetSMSAttributes": publish_actions.get_sms_attributes,
    "GetSubscriptionAttributes": subscription_actions.get_subscription_attributes,
    "GetTopicAttributes": topic_actions.get_topic_attributes,
    "ListEndpointsByPlatformApplication": platform_actions.list_endpoints_by_platform_application,
    "ListPhoneNumbersOptedOut": publish_actions.list_phone_numbers_opted_out,
    "ListPlatformApplications": platform_actions.list_platform_applications,
    "ListSubscriptions": subscription_actions.list_subscriptions,
    "ListSubscriptionsByTopic": subscription_actions.list_subscriptions_by_topic,
    "ListTagsForResource": topic_actions.list_tags_for_resource,
    "ListTopics": topic_actions.list_topics,
    "OptInPhoneNumber": publish_actions.opt_in_phone_number,
    "Publish": publish_actions.publish,
    "PublishBatch": publish_actions.publish_batch,
    "RemovePermission": topic_actions.remove_permission,
    "SetEndpointAttributes": platform_actions.set_endpoint_attributes,
    "SetPlatformApplicationAttributes": platform_actions.set_platform_application_attributes,
    "SetSMSAttributes": publish_actions.set_sms_attributes,
    "SetSubscriptionAttributes": subscription_actions.set_subscription_attributes,
    "SetTopicAttributes": topic_actions.set_topic_attributes,
    "Subscribe": subscription_actions.subscribe,
    "TagResource": topic_actions.tag_resource,
    "Unsubscribe": subscription_actions.unsubscribe,
    "UntagResource": topic_actions.untag_resource,
}


def service(sns: Sns) -> Service:
    """Return SNS as a service for the router."""
    actions = {name: partial(action, sns) for name, action in ACTIONS.items()}
    return Service(sns.model, actions, None, validation_error=_validation_error, invalid_token=INVALID_TOKEN)


def _validation_error(violations: list[Violation]) -> AwsError:
    """Word what breaks the model, which requires little: a missing ARN is reported as an invalid one.

    A name in a map is followed by `member`. Both are recorded of AWS.
    """
    first = violations[0]
    if first.missing and str(first.path[-1]).endswith("Arn"):
        return invalid(f"{first.path[-1]} Reason: no value for required parameter")
    text = "; ".join(
        f"Value {'null' if one.missing else repr(one.value)} at '{_member(one)}' failed to satisfy constraint: "
        f"{one.constraint}"
        for one in violations
    )
    plural = "" if len(violations) == 1 else "s"
    return AwsError("ValidationError", f"{len(violations)} validation error{plural} detected: {text}")


def _member(violation: Violation) -> str:
    parts: list[str] = []
    in_map = False
    for part in violation.path:
        if isinstance(part, int) or in_map:
            parts.append(f"{part}.member")
            in_map = False
        else:
            parts.append(part[:1].lower() + part[1:])
            in_map = part == "MessageAttributes"
    return ".".join(parts)
