"""A filter policy reads the message attributes."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="With the scope MessageAttributes, which is the default, a filter policy compares the message's attributes: "
    "all names must match, each by one of its values.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html",
    means="The publisher sets what consumers route by as attributes. A consumer changes its own filter; the publisher "
    "does not change.",
)
cashier, express = lab.actor("cashier"), lab.actor("express bar")
orders = lab.topic()
queue = lab.queue("express")
policy = {"service": ["express", "drive-in"], "items": [{"numeric": ["<=", 3]}]}
lab.subscribe(orders, queue, RawMessageDelivery=True, FilterPolicy=policy)


def publish(text: str, service: str, items: int) -> None:
    """Publish an order with two attributes."""
    cashier.sns.publish(
        TopicArn=orders,
        Message=text,
        MessageAttributes={
            "service": {"DataType": "String", "StringValue": service},
            "items": {"DataType": "Number", "StringValue": str(items)},
        },
    )


lab.step("The cashier publishes three orders: one at a table, one express with five items, one express with two.")
publish("flat white at a table", "table", 1)
publish("five espressos, express", "express", 5)
publish("two espressos, express", "express", 2)
lab.check(
    "The express bar gets the order for which all attributes match",
    express.receive_all(queue.url, count=1),
    ["two espressos, express"],
)
left = express.sqs.receive_message(QueueUrl=queue.url)
lab.check("The other two are not in its queue", left.count, 0)
