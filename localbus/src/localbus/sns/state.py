"""SNS as a service: its table of actions, its errors, and the door by which EventBridge publishes.

What a topic does is said in `topic`, who gets a message in `filter_policy`, and how it gets there in `courier`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, ErrorSpec, Params, Violation
from localbus.resource_policy import AccessControl, Principal
from localbus.sns import platform_actions, publish_actions, sms_actions, subscription_actions, topic_actions
from localbus.sns.captured_messages import CapturedMessages
from localbus.sns.delivery import Senders
from localbus.sns.errors import invalid, no_topic, not_authorized
from localbus.sns.platform_application import PlatformApplications
from localbus.sns.publisher import Publisher
from localbus.sns.registry import Topics
from localbus.sns.signature import Signer
from localbus.sns.topic import Topic
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

_INVALID_TOKEN = (
    "InvalidParameterException",
    "Invalid parameter: NextToken Reason: the token is not one that this action has returned",
)

ACTIONS: dict[str, Callable[[Sns, Params, Caller], Params | Awaitable[Params]]] = {
    "AddPermission": topic_actions.add_permission,
    "CheckIfPhoneNumberIsOptedOut": sms_actions.check_if_phone_number_is_opted_out,
    "ConfirmSubscription": subscription_actions.confirm_subscription,
    "CreatePlatformApplication": platform_actions.create_platform_application,
    "CreatePlatformEndpoint": platform_actions.create_platform_endpoint,
    "CreateTopic": topic_actions.create_topic,
    "DeleteEndpoint": platform_actions.delete_endpoint,
    "DeletePlatformApplication": platform_actions.delete_platform_application,
    "DeleteTopic": topic_actions.delete_topic,
    "GetEndpointAttributes": platform_actions.get_endpoint_attributes,
    "GetPlatformApplicationAttributes": platform_actions.get_platform_application_attributes,
    "GetSMSAttributes": sms_actions.get_sms_attributes,
    "GetSubscriptionAttributes": subscription_actions.get_subscription_attributes,
    "GetTopicAttributes": topic_actions.get_topic_attributes,
    "ListEndpointsByPlatformApplication": platform_actions.list_endpoints_by_platform_application,
    "ListPhoneNumbersOptedOut": sms_actions.list_phone_numbers_opted_out,
    "ListPlatformApplications": platform_actions.list_platform_applications,
    "ListSubscriptions": subscription_actions.list_subscriptions,
    "ListSubscriptionsByTopic": subscription_actions.list_subscriptions_by_topic,
    "ListTagsForResource": topic_actions.list_tags_for_resource,
    "ListTopics": topic_actions.list_topics,
    "OptInPhoneNumber": sms_actions.opt_in_phone_number,
    "Publish": publish_actions.publish,
    "PublishBatch": publish_actions.publish_batch,
    "RemovePermission": topic_actions.remove_permission,
    "SetEndpointAttributes": platform_actions.set_endpoint_attributes,
    "SetPlatformApplicationAttributes": platform_actions.set_platform_application_attributes,
    "SetSMSAttributes": sms_actions.set_sms_attributes,
    "SetSubscriptionAttributes": subscription_actions.set_subscription_attributes,
    "SetTopicAttributes": topic_actions.set_topic_attributes,
    "Subscribe": subscription_actions.subscribe,
    "TagResource": topic_actions.tag_resource,
    "Unsubscribe": subscription_actions.unsubscribe,
    "UntagResource": topic_actions.untag_resource,
}

# A policy that denies everything to everybody would else be there for good.
_ALWAYS_THE_OWNER_S = {"SetTopicAttributes", "RemovePermission", "DeleteTopic"}


class Sns:
    """All topics, and who may do what with them."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        sqs: Sqs,
        upstream: UpstreamCalls,
        tasks: BackgroundTasks,
        *,
        enforce_policies: bool = True,
        sign_everything: bool = False,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.topics = Topics(clock)
        self.captured = CapturedMessages()
        self.platforms = PlatformApplications()
        self.signer = Signer(sign_everything=sign_everything)
        senders = Senders(clock, sqs, upstream, self.captured, self.platforms, self.signer, enforce_policies)
        self.publisher = Publisher(journal, senders, tasks)
        self.sms_attributes: dict[tuple[str, str], dict[str, str]] = {}
        self.url = "http://localhost"  # where links in messages of no caller lead; the engine knows once it listens
        self._access = AccessControl(clock, journal, enforce=enforce_policies)
        self._api = Api("sns")
        self.error_spec: Callable[[str], ErrorSpec] = self._api.error_spec

    def service(self) -> Service:
        """SNS for the router."""
        actions = {name: partial(action, self) for name, action in ACTIONS.items()}
        return Service(self._api, actions, None, refuse=_refuse, invalid_token=_INVALID_TOKEN)

    def find(self, arn: str, caller: Caller, action: str) -> Topic:
        """The topic of that ARN, if the caller may: its own account unless denied by the policy, others if let."""
        topic = self.topics.by_arn(arn, caller)
        owns = topic.account == caller.account
        if owns and action in _ALWAYS_THE_OWNER_S:
            return topic
        if not self._access.allows_account(topic.policy, caller.account, topic.account, f"sns:{action}", topic.arn):
            raise not_authorized(caller.account, action, topic.arn, denied=owns)
        return topic

    def deliver(self, topic_arn: str, entry: Params, principal: Principal, trace_header: str = "") -> str:
        """Publish for a service (the entry is Publish's input without the ARN) and say under which message id.

        Raises AwsError: NotFoundException, AuthorizationErrorException where the topic's policy does not let the
        service, KMSAccessDeniedException where its key is AWS's own, which no service may use (sns-key-management),
        or what Publish itself refuses. Which of these a sender tries again is its own matter.
        """
        topic = self.topics.look_up(topic_arn)
        if topic is None:
            raise no_topic()
        key = topic.attributes.get("KmsMasterKeyId", "")
        codes = ("AuthorizationErrorException", "KMSAccessDeniedException")
        self._access.check_delivery(topic.policy, principal, "sns:Publish", topic_arn, kms_key=key, codes=codes)
        caller = Caller(topic.account, topic.region, self.url, trace_header=trace_header)
        message_id: str = publish_actions.publish_entry(self, topic, entry, caller)["MessageId"]
        return message_id


def _refuse(violations: list[Violation]) -> AwsError:
    """SNS's model asks for little but required members, and a missing ARN is told as a wrong one is.

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
