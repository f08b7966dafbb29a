"""A small account on an in-process localbus, and the readings of it that tests share."""

import json
from typing import Any, Final

from localbus.pytest_plugin import Localbus as Server
from orderboard.resources.arrival import Arrival, Follower
from orderboard.resources.clients import Clients
from orderboard.resources.inventory import Inventory
from orderboard.resources.problems import allow_command
from orderboard.resources.reader import read_localbus
from orderboard.system.localbus import Localbus
from orderboard.system.target import Connection
from orderboard_stack.backend import Endpoint

ARN: Final = "arn:aws:{service}:us-east-1:000000000000:{name}"


class Account:
    """Makes resources, and reads them as the console does."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.engine = Localbus(server.url)
        self.clients = Clients(Connection(Endpoint("embedded", server.url)))
        self._here: Any = self.clients.connection  # whose clients are made when they are first used

    @property
    def sqs(self) -> Any:
        """A client of SQS."""
        return self._here.sqs

    @property
    def sns(self) -> Any:
        """A client of SNS."""
        return self._here.sns

    @property
    def events(self) -> Any:
        """A client of EventBridge."""
        return self._here.events

    def inventory(self) -> Inventory:
        """Read everything."""
        found = read_localbus(self.engine)
        assert found is not None
        return found

    def queue(self, name: str, *, open_to: str | None = None, **attributes: str) -> str:
        """Make a queue that a service may send to, or nobody, and return its ARN."""
        arn = ARN.format(service="sqs", name=name)
        if open_to is not None:
            allow = {"Effect": "Allow", "Principal": {"Service": open_to}, "Action": "sqs:SendMessage", "Resource": arn}
            attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return arn

    def topic(self, name: str, *queues: str, **attributes: str) -> str:
        """Make a topic, subscribe these queues to it, and return its ARN."""
        arn = str(self.sns.create_topic(Name=name)["TopicArn"])
        for queue in queues:
            self.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=attributes)
        return arn

    def rule(self, name: str, pattern: dict[str, Any], *targets: str, **given: Any) -> str:
        """Make a rule of the default bus with these targets, and return its ARN."""
        arn = str(self.events.put_rule(Name=name, EventPattern=json.dumps(pattern), **given)["RuleArn"])
        entries = [{"Id": str(number), "Arn": target} for number, target in enumerate(targets)]
        if entries:
            self.events.put_targets(Rule=name, Targets=entries)
        return arn

    def put(self, source: str, bus: str = "default") -> str:
        """Put an event, and return its id."""
        entry = {"Source": source, "DetailType": "test", "Detail": "{}", "EventBusName": bus}
        return str(self.events.put_events(Entries=[entry])["Entries"][0]["EventId"])

    def receive(self, name: str, *, delete: bool = False) -> None:
        """Receive one message, and delete it or leave it in flight."""
        url = self.clients.queue_url(ARN.format(service="sqs", name=name))
        [message] = self.sqs.receive_message(QueueUrl=url)["Messages"]
        if delete:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def url(self, name: str) -> str:
        """Return the URL of a queue."""
        return self.clients.queue_url(ARN.format(service="sqs", name=name))

    def why(self, message_id: str) -> Arrival:
        """Ask why a message did not arrive."""
        inventory = self.inventory()
        follower = Follower(
            inventory,
            self.engine.of_message,
            lambda queue: [entry] if (entry := self.engine.last_purge(queue)) else [],
            lambda sender, target: allow_command(inventory, sender, target, self.clients),
        )
        return follower.follow(message_id)
