"""The registry of topics and subscriptions of every account and region."""

from __future__ import annotations

import re
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.sns import topic_attributes
from localbus.sns.errors import check_arn, invalid, not_found
from localbus.sns.subscription import Subscription
from localbus.sns.topic import ARCHIVED, PUBLISHED, SEQUENCE, Topic
from localbus.storage.storage import Record, Storage

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{1,256}$)[A-Za-z0-9_-]+\.fifo")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"[0-9a-f]+")
# https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html and API_Subscribe.html
CONFIRM_WITHIN_S = 2 * 86_400
TOKEN_CHARACTERS = 96
# Kinds of records: topics by ARN, and subscriptions by ARN, which belong to a topic by its ARN.
_TOPIC, _SUBSCRIPTION = "sns.topic", "sns.subscription"


class Topics:
    """Topics by ARN, and their subscriptions by ARN and by token.

    `on_change` is called with the ARN of each new or deleted topic.
    """

    def __init__(self, clock: Clock, storage: Storage) -> None:
        self._clock = clock
        self._storage = storage
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._by_topic: dict[str, dict[str, Subscription]] = {}
        self._by_token: dict[str, Subscription] = {}
        self.on_change: list[Callable[[str], None]] = []
        self._tokens: deque[tuple[float, str, Subscription]] = deque()  # sent to endpoints, by the end of their time

    def restore(self) -> None:
        """Read all topics and subscriptions from the storage, when the engine starts. Raises DataFolderError."""
        now, storage = self._clock.now(), self._storage
        by_topic = {kind: defaultdict[str, list[Record]](list) for kind in (PUBLISHED, ARCHIVED)}
        for kind, records in by_topic.items():
            for record in storage.records(kind):
                records[record.owner].append(record)
        for _, arn, document in storage.records(_TOPIC):
            topic = self._topics[arn] = Topic(arn, document["attributes"], document["tags"], now, storage)
            topic.restore(document, by_topic[PUBLISHED][arn], by_topic[ARCHIVED][arn])
            self._by_topic[arn] = {}
        for _, arn, sequence in storage.records(SEQUENCE):
            self._topics[arn].sequence = sequence
        for topic_arn, arn, document in storage.records(_SUBSCRIPTION):
            subscription = Subscription.restored(arn, self._topics[topic_arn], document)
            if not subscription.ended:
                self._subscriptions[arn] = self._by_topic[topic_arn][arn] = subscription
            if subscription.token:
                self._by_token[subscription.token] = subscription
        tokens = [(one.token_until, token, one) for token, one in self._by_token.items()]
        self._tokens.extend(sorted(tokens, key=lambda token: token[0]))

    # Topics

    def __iter__(self) -> Iterator[Topic]:
        return iter(list(self._topics.values()))

    def create(self, name: str, given: Mapping[str, str], tags: Mapping[str, str], caller: Caller) -> Topic:
        """Create a topic, or return the existing one if nothing in the request differs."""
        fifo = given.get("FifoTopic", "").lower() == "true"
        if not (_FIFO_NAME if fifo else _NAME).fullmatch(name):
            raise invalid("Topic Name")
        attributes = topic_attributes.validated(given, fifo=fifo, where="Attributes Reason: ")
        arn = f"arn:aws:sns:{caller.region}:{caller.account}:{name}"
        existing = self._topics.get(arn)
        if existing is None:
            self._by_topic[arn] = {}
            topic = self._topics[arn] = Topic(arn, attributes, dict(tags), self._clock.now(), self._storage)
            self.save(topic)
            self._changed(arn)
            return topic
        current = topic_attributes.describe(existing, self._clock.now())
        if any(current.get(attribute, "") != value for attribute, value in attributes.items() if value != "false"):
            raise invalid("Attributes Reason: Topic already exists with different attributes")
        if any(existing.tags.get(key) != value for key, value in tags.items()):
            raise invalid("Tags Reason: Topic already exists with different tags")
        return existing

    def save(self, topic: Topic) -> None:
        """Store what has changed of a topic, except its messages."""
        self._storage.save(_TOPIC, topic.arn, topic.document)

    def by_arn(self, arn: str, caller: Caller) -> Topic:
        """Return the topic of that ARN in the caller's region; raises NotFound."""
        parts = check_arn(arn, "TopicArn")
        if parts[3] != caller.region:
            raise invalid("TopicArn")
        topic = self._topics.get(arn)
        if topic is None:
            raise not_found("Topic")
        return topic

    def look_up(self, arn: str) -> Topic | None:
        """Return the topic of that ARN in any region, if it exists."""
        return self._topics.get(arn)

    def delete(self, topic: Topic) -> None:
        """Delete a topic with its subscriptions, also those that a token could still restore."""
        del self._topics[topic.arn]
        for subscription_arn, subscription in self._by_topic.pop(topic.arn).items():
            del self._subscriptions[subscription_arn]
            subscription.ended = True
        self._by_token = {token: one for token, one in self._by_token.items() if one.topic is not topic}
        topic.close()
        self._storage.delete(_TOPIC, topic.arn)
        self._storage.delete_owned(_SUBSCRIPTION, topic.arn)
        self._changed(topic.arn)

    def _changed(self, arn: str) -> None:
        for follow in self.on_change:
            follow(arn)

    # Subscriptions

    def subscriptions(self) -> list[Subscription]:
        """Return all subscriptions."""
        self._expire_tokens()
        return list(self._subscriptions.values())

    def subscriptions_of(self, topic: Topic) -> list[Subscription]:
        """Return the subscriptions of a topic, oldest first."""
        if self._tokens:
            self._expire_tokens()
        return list(self._by_topic[topic.arn].values())

    def new_subscription(self, topic: Topic, protocol: str, endpoint: str, caller: Caller) -> Subscription:
        """Return a new subscription, which counts once it is added."""
        arn = f"{topic.arn}:{new_id()}"
        return Subscription(arn, topic, protocol, endpoint, caller.account, caller.principal_arn)

    def add(self, subscription: Subscription) -> None:
        """Add a subscription, also one that was removed."""
        subscription.ended = False
        self._subscriptions[subscription.arn] = subscription
        self._by_topic[subscription.topic.arn][subscription.arn] = subscription
        self.save_subscription(subscription)

    def save_subscription(self, subscription: Subscription) -> None:
        """Store what has changed of a subscription: nothing is left of one that has ended and cannot be restored."""
        topic_arn = subscription.topic.arn
        if subscription.ended and subscription.token not in self._by_token:
            self._storage.delete(_SUBSCRIPTION, subscription.arn, topic_arn)
        else:
            self._storage.save(_SUBSCRIPTION, subscription.arn, subscription.document, topic_arn)

    def remove(self, subscription: Subscription) -> None:
        """Remove a subscription. Its token can still restore it."""
        del self._subscriptions[subscription.arn]
        del self._by_topic[subscription.topic.arn][subscription.arn]
        subscription.ended = True
        subscription.topic.subscriptions_deleted += 1
        self.save_subscription(subscription)
        self.save(subscription.topic)

    def send_token(self, subscription: Subscription) -> str:
        """Return a new token, which confirms the subscription in place of the one before."""
        self._by_token.pop(subscription.token, None)
        token = subscription.token = secrets.token_hex(TOKEN_CHARACTERS // 2)
        self._by_token[token] = subscription
        subscription.token_until = self._clock.now() + CONFIRM_WITHIN_S
        self._tokens.append((subscription.token_until, token, subscription))
        self.save_subscription(subscription)
        return token

    def _expire_tokens(self) -> None:
        """Remove the tokens whose time is over, and the subscriptions that they did not confirm.

        Every read of subscriptions or of their number does so first.
        """
        now = self._clock.now()
        while self._tokens and self._tokens[0][0] <= now:
            _, token, subscription = self._tokens.popleft()
            self._by_token.pop(token, None)
            if token != subscription.token:
                continue
            if subscription.ended:
                self.save_subscription(subscription)
            elif not subscription.confirmed:
                self.remove(subscription)

    def restorable(self, arn: str) -> Subscription | None:
        """Return the subscription of that ARN, also one that has ended and that a token can restore."""
        restorable = (one for one in self._by_token.values() if one.arn == arn)
        return self._subscriptions.get(arn) or next(restorable, None)

    def find_subscription(self, arn: str) -> Subscription | None:
        """Return the subscription of that ARN, if it exists. Raises InvalidParameter for another kind of ARN."""
        if not arn:
            raise invalid("SubscriptionArn Reason: no value for required parameter")
        parts = check_arn(arn, "SubscriptionArn")
        if len(parts) != 7 or not _ID.fullmatch(parts[6]):
            raise invalid("SubscriptionId")
        self._expire_tokens()
        return self._subscriptions.get(arn)

    def subscription(self, arn: str) -> Subscription:
        """Return the subscription of that ARN; raises NotFound."""
        found = self.find_subscription(arn)
        if found is None:
            raise not_found("Subscription")
        return found

    def by_token(self, token: str) -> Subscription:
        """Return the subscription that this token confirms; raises InvalidParameter."""
        if not _TOKEN.fullmatch(token):
            raise AwsError("InvalidParameterException", "Invalid token")
        self._expire_tokens()
        found = self._by_token.get(token)
        if found is None:
            raise invalid("Token")
        return found
