"""The state of SNS: topics with their subscriptions, and access to them for accounts and services."""

from __future__ import annotations

from collections.abc import Mapping

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.journal import Journal
from localbus.policy_conditions import Context
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Api, Params
from localbus.resource_policy import NO_KEYS, AccessControl, Principal, resource_tag_keys
from localbus.sns.delivery import CapturedMessages, Senders
from localbus.sns.errors import not_authorized, not_found
from localbus.sns.message_builder import build
from localbus.sns.platform_application import PlatformApplications
from localbus.sns.publisher import Publisher
from localbus.sns.registry import Topics
from localbus.sns.signature import Signer
from localbus.sns.topic import Topic
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient

# Always allowed to the owner, who could otherwise never undo a policy that denies everything to everybody.
_ALWAYS_THE_OWNERS = {"SetTopicAttributes", "RemovePermission", "DeleteTopic"}

_SMS = "sns.sms"  # the kind of the records of attributes of text messages, by account and region


class Sns:
    """All topics. `url` starts the links in messages that no caller has published; the engine sets it."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        sqs: Sqs,
        upstream: UpstreamClient,
        tasks: BackgroundTasks,
        *,
        enforce_policies: bool = True,
        sign_everything: bool = False,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.model = Api("sns")
        self._storage = storage = sqs.storage
        self.topics = Topics(clock, storage)
        self.captured = CapturedMessages(storage)
        self.platforms = PlatformApplications(storage)
        self.signer = Signer(storage, sign_everything=sign_everything)
        senders = Senders(clock, sqs, upstream, self.captured, self.platforms, self.signer, enforce_policies)
        self.publisher = Publisher(journal, senders, tasks, self.topics)
        self.sms_attributes: dict[tuple[str, str], dict[str, str]] = {}
        self.url = "http://localhost"
        self._access = AccessControl(clock, journal, enforce=enforce_policies)

    def restore(self) -> None:
        """Read everything from the storage, when the engine starts, and go on with what ran. Raises DataFolderError."""
        self.topics.restore()
        self.captured.restore()
        self.platforms.restore()
        for _, key, attributes in self._storage.records(_SMS):
            account, region = key.split(":")
            self.sms_attributes[account, region] = attributes
        self.publisher.restore()

    def change_sms_attributes(self, caller: Caller, given: Mapping[str, str]) -> None:
        """Set attributes of text messages for the caller's account and region."""
        attributes = self.sms_attributes.setdefault((caller.account, caller.region), {})
        attributes.update(given)
        self._storage.save(_SMS, f"{caller.account}:{caller.region}", lambda: attributes)

    def find(self, arn: str, caller: Caller, action: str, *, keys: Context = NO_KEYS) -> Topic:
        """Return the topic of that ARN. Raises AwsError unless its policy allows the caller this action.

        `keys` are the condition keys of the action, in lower case.
        """
        topic = self.topics.by_arn(arn, caller)
        owns = topic.account == caller.account
        if owns and action in _ALWAYS_THE_OWNERS:
            return topic
        if not self._access.allows_account(
            topic.policy, caller, f"sns:{action}", topic.arn, keys=lambda: {**resource_tag_keys(topic.tags), **keys}
        ):
            raise not_authorized(caller.account, action, topic.arn, denied=owns)
        return topic

    def deliver(
        self,
        topic_arn: str,
        entry: Params,
        principal: Principal,
        trace_header: str = "",
        *,
        message_id: str | None = None,
    ) -> str:
        """Publish for a service and return the message id. The entry is Publish's input without the ARN.

        `message_id` is the id that the service has returned already.

        Raises AwsError: NotFoundException, AuthorizationErrorException where the topic's policy does not allow the
        service, KMSAccessDeniedException where the topic's key is the one that AWS manages (sns-key-management), or
        an error of Publish.
        """
        topic = self.check_delivery(topic_arn, principal)
        caller = Caller(topic.account, topic.region, self.url, trace_header=trace_header)
        notification = build(entry, topic, caller, self.clock.now())
        notification.message_id = message_id or notification.message_id
        self.publisher.publish(topic, notification)
        return notification.message_id

    def check_delivery(self, topic_arn: str, principal: Principal) -> Topic:
        """Return the topic. Raises AwsError as `deliver` does if it does not exist or the service may not publish."""
        topic = self.topics.look_up(topic_arn)
        if topic is None:
            raise not_found("Topic")
        key = topic.attributes.get("KmsMasterKeyId", "")
        codes = ("AuthorizationErrorException", "KMSAccessDeniedException")
        self._access.check_delivery(topic.policy, principal, "sns:Publish", topic_arn, kms_key=key, codes=codes)
        return topic
