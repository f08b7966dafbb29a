"""All topics there are, by ARN, and all subscriptions: how they come, are found, and go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.sns import topic_attributes
from localbus.sns.errors import check_arn, invalid, no_subscription, no_topic
from localbus.sns.subscription import Subscription
from localbus.sns.topic import Topic

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+\.fifo")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"[0-9a-f]+")
_FORM = (
    "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, "
    "underscores, and hyphens, and must be between 1 and 256 characters long."
)


class Topics:
    """The topics and subscriptions of every account and region."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._by_token: dict[str, Subscription] = {}

    # Topics

    def __iter__(self) -> Iterator[Topic]:
        return iter(list(self._topics.values()))

    def create(self, name: str, given: Mapping[str, str], tags: Mapping[str, str], caller: Caller) -> Topic:
        """Make a topic; one that is there already is found again if nothing that is asked for differs."""
        fifo = given.get("FifoTopic", "").lower() == "true"
        if fifo and not _FIFO_NAME.fullmatch(name):
            raise invalid(_FORM)
        if not fifo and not _NAME.fullmatch(name):
            raise invalid("Topic Name")
        attributes = topic_attributes.checked(given, fifo=fifo, where="Attributes Reason: ")
        arn = f"arn:aws:sns:{caller.region}:{caller.account}:{name}"
        existing = self._topics.get(arn)
        if existing is None:
            topic = self._topics[arn] = Topic(arn, attributes, dict(tags), self._clock.now())
            return topic
        shown = topic_attributes.show(existing)
        if any(shown.get(attribute, "") != value for attribute, value in attributes.items() if value != "false"):
            raise invalid("Attributes Reason: Topic already exists with different attributes")
        if any(existing.tags.get(key) != value for key, value in tags.items()):
            raise invalid("Tags Reason: Topic already exists with different tags")
        return existing

    def by_arn(self, arn: str, caller: Caller) -> Topic:
        """The topic of that ARN in the caller's region."""
        parts = check_arn(arn, "TopicArn")
        if parts[3] != caller.region:
            raise invalid("TopicArn")
        topic = self._topics.get(arn)
        if topic is None:
            raise no_topic()
        return topic

    def look_up(self, arn: str) -> Topic | None:
        """The topic of that ARN, wherever it is."""
        return self._topics.get(arn)

    def delete(self, topic: Topic) -> None:
        """Delete a topic with its subscriptions."""
        del self._topics[topic.arn]
        for subscription in list(topic.subscriptions.values()):
            self.remove(subscription)
            del self._by_token[subscription.token]

    # Subscriptions

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions, without those that nobody confirmed in time."""
        now = self._clock.now()
        for stale in [one for one in self._subscriptions.values() if one.is_stale(now)]:
            self.remove(stale)
            del self._by_token[stale.token]
        return list(self._subscriptions.values())

    def subscribe(self, topic: Topic, protocol: str, endpoint: str, owner: str) -> Subscription:
        """A new subscription, which counts once it is added."""
        arn = f"{topic.arn}:{new_id()}"
        return Subscription(arn, topic, protocol, endpoint, owner, self._clock.now())

    def add(self, subscription: Subscription) -> None:
        """Take in a subscription, or take it in again."""
        self._subscriptions[subscription.arn] = subscription
        self._by_token[subscription.token] = subscription
        subscription.topic.subscriptions[subscription.arn] = subscription

    def remove(self, subscription: Subscription) -> None:
        """End a subscription. Its token can still bring it back."""
        del self._subscriptions[subscription.arn]
        del subscription.topic.subscriptions[subscription.arn]
        subscription.topic.subscriptions_deleted += 1

    def renew_token(self, subscription: Subscription, token: str) -> None:
        """Let another token confirm the subscription."""
        self._by_token.pop(subscription.token, None)
        subscription.token = token
        self._by_token[token] = subscription

    def find_subscription(self, arn: str) -> Subscription | None:
        """The subscription of that ARN, if there is one; refuses what is no such ARN."""
        if not arn:
            raise invalid("SubscriptionArn Reason: no value for required parameter")
        parts = check_arn(arn, "SubscriptionArn")
        if len(parts) != 7 or not _ID.fullmatch(parts[6]):
            raise invalid("SubscriptionId")
        return self._subscriptions.get(arn)

    def subscription(self, arn: str) -> Subscription:
        """The subscription of that ARN; raises NotFound."""
        found = self.find_subscription(arn)
        if found is None:
            raise no_subscription()
        return found

    def by_token(self, token: str) -> Subscription:
        """The subscription that this token confirms."""
        if not _TOKEN.fullmatch(token):
            raise AwsError("InvalidParameterException", "Invalid token")
        found = self._by_token.get(token)
        if found is None or found.is_stale(self._clock.now()):
            raise invalid("Token")
        return found
