"""The surroundings of a worker under test: queues, rows, and the outcome events on the bus."""

import json
from dataclasses import dataclass, field

from orderboard_aws_client.order_codec import from_item
from orderboard_contracts.events import Event, OutcomeEvent, parse_event
from orderboard_contracts.record import OrderRecord
from orderboard_contracts.routing import message_attributes
from support import DeployedStack

Body = str


@dataclass
class Cafe:
    """A stack with a queue that receives all outcome events of workers."""

    stack: DeployedStack
    _outcomes_url: str
    _outcomes: list[OutcomeEvent] = field(default_factory=list)

    def publish(self, *commands: Event) -> None:
        """Publish commands on the topic, as order-api does; filter policies route them."""
        for start in range(0, len(commands), 10):
            entries = [
                {
                    "Id": str(index),
                    "Message": command.to_json(),
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in message_attributes(command).items()  # type: ignore[arg-type]
                    },
                }
                for index, command in enumerate(commands[start : start + 10])
            ]
            answer = self.stack.sns.publish_batch(
                TopicArn=self.stack.outputs.orders_topic_arn,
                PublishBatchRequestEntries=entries,  # type: ignore[arg-type]
            )
            assert not answer.get("Failed")

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
        while messages := self.stack.sqs.receive_message(QueueUrl=self._outcomes_url, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            for message in messages:
                event = parse_event(json.loads(message["Body"])["detail"])
                self._outcomes.append(event)  # type: ignore[arg-type]
                self.stack.sqs.delete_message(QueueUrl=self._outcomes_url, ReceiptHandle=message["ReceiptHandle"])
        return list(self._outcomes)

    def distinct_outcomes(self) -> dict[str, OutcomeEvent]:
        """Return outcome events by id; a repeat must be equal."""
        events: dict[str, OutcomeEvent] = {}
        for event in self.outcomes():
            assert events.setdefault(event.id, event) == event, "one id, two contents"
        return events


def open_cafe(stack: DeployedStack) -> Cafe:
    """Add a queue for outcome events to the stack's bus."""
    name = f"{stack.prefix}-outcomes"
    url = stack.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]}
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    bus = stack.outputs.bus_name
    pattern = json.dumps({"source": ["orderboard.worker"]})
    stack.events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
    stack.events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "outcomes", "Arn": arn}])
    return Cafe(stack, url)


def close_cafe(cafe: Cafe) -> None:
    """Remove the queue for outcome events."""
    name, bus = f"{cafe.stack.prefix}-outcomes", cafe.stack.outputs.bus_name
    cafe.stack.events.remove_targets(Rule=name, EventBusName=bus, Ids=["outcomes"])
    cafe.stack.events.delete_rule(Name=name, EventBusName=bus)
    cafe.stack.sqs.delete_queue(QueueUrl=cafe.stack.queue_url(name))
