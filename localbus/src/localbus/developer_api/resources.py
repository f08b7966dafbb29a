"""Every resource of an engine in one document: of all accounts and regions, each as its service's own API shows it.

AWS needs a request for each queue, topic and rule; a page that shows two hundred of them needs one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.table_description import describe as describe_table
from localbus.events import bus_actions, rule_actions
from localbus.events.bus import Rule
from localbus.events.state import EventBridge
from localbus.lambda_.state import EventSourceMappings
from localbus.protocol.service_model import Params
from localbus.sns.state import Sns
from localbus.sns.subscription_attributes import describe as describe_subscription
from localbus.sns.topic_actions import describe as describe_topic
from localbus.sqs.queue_actions import describe as describe_queue
from localbus.sqs.state import Sqs


@dataclass(frozen=True)
class Resources:
    """The resources of one engine's services."""

    sqs: Sqs
    sns: Sns
    events: EventBridge
    mappings: EventSourceMappings
    dynamodb: DynamoDb

    def document(self) -> dict[str, Any]:
        """Return them by kind: the attributes of queues, topics and subscriptions, the descriptions of the others.

        A queue also has the time at which its oldest message was sent, a rule its targets.
        """
        now, buses = self.sqs.clock.now(), list(self.events.buses)
        subscriptions = self.sns.topics.subscriptions()
        return {
            "now": now,
            "queues": [
                {"attributes": describe_queue(record), "oldest_sent_at": record.queue.oldest_sent_at()}
                for record in self.sqs.queues
            ],
            "topics": [describe_topic(self.sns, topic) for topic in self.sns.topics],
            "subscriptions": [describe_subscription(one, now) for one in subscriptions],
            "buses": [bus_actions.describe(bus) for bus in buses],
            "rules": [_with_targets(rule) for bus in buses for rule in bus.rules.values()],
            "archives": [archive.details() for archive in self.events.archives],
            "mappings": [mapping.document() for mapping in self.mappings],
            "tables": [describe_table(table) for table in self.dynamodb.all_tables()],
        }


def _with_targets(rule: Rule) -> Params:
    return rule_actions.describe(rule) | {"Targets": [target.given for target in rule.targets.values()]}
