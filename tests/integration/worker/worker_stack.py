"""The surroundings of a worker under test: queues, rows, and the outcome events on the bus."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from order_api.orders_topic import entry_for
from orderboard_aws_client.order_codec import from_item
from orderboard_contracts.events import Command, OutcomeEvent, parse_event
from orderboard_contracts.record import OrderRecord
from support.stack import DeployedStack

Body = str


@dataclass
class WorkerStack:
    """A stack with a queue that receives all outcome events of workers."""

    stack: DeployedStack
    _outcomes_queue: str
    _outcomes: list[OutcomeEvent] = field(default_factory=list)

    def publish(self, *commands: Command) -> None:
        """Publish commands on the topic, as order-api does; filter policies route them."""
        for start in range(0, len(commands), 10):
            batch = enumerate(commands[start : start + 10])
            entries = [{"Id": str(index), **entry_for(command, command.to_json())} for index, command in batch]
            response = self.stack.sns.publish_batch(
                TopicArn=self.stack.outputs.orders_topic_arn,
                PublishBatchRequestEntries=entries,  # type: ignore[arg-type]
            )
            assert not response.get("Failed")

    def send(self, *bodies: Body) -> None:
        """Send arbitrary bodies to the work queue."""
        url = self.stack.queue_url(self.stack.outputs.work_queue)
        for body in bodies:
            self.stack.sqs.send_message(QueueUrl=url, MessageBody=body)

    def rows(self) -> dict[str, OrderRecord]:
        """Return all rows by order id."""
        pages = self.stack.dynamodb.get_paginator("scan").paginate(TableName=self.stack.outputs.orders_table)
        records = [from_item(item) for page in pages for item in page["Items"]]
        return {record.order_id: record for record in records}

    def left(self) -> int:
        """Return the number of messages on the work and express queues, visible or in flight."""
        return sum(self._count(name) for name in (self.stack.outputs.work_queue, self.stack.outputs.express_queue))

    def dead(self) -> int:
        """Return the number of messages on the work queue's dead-letter queue."""
        return self._count(self.stack.outputs.work_dlq)

    def _count(self, name: str) -> int:
        attributes = self.stack.sqs.get_queue_attributes(
            QueueUrl=self.stack.queue_url(name),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def outcomes(self) -> list[OutcomeEvent]:
        """Return all outcome events that the bus has delivered so far, including repeats."""
        while messages := self.stack.receive(self._outcomes_queue):
            events = (parse_event(json.loads(message["Body"])["detail"]) for message in messages)
            self._outcomes.extend(cast("Iterator[OutcomeEvent]", events))
        return list(self._outcomes)

    def distinct_outcomes(self) -> dict[str, OutcomeEvent]:
        """Return outcome events by id; a repeat must be equal."""
        events: dict[str, OutcomeEvent] = {}
        for event in self.outcomes():
            assert events.setdefault(event.id, event) == event, "one id, two contents"
        return events
