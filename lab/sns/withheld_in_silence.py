"""A message that no filter accepts is gone without an error."""

from orderboard.lab import SNS, Experiment

lab = Experiment(
    claim="A message that a filter policy does not accept is not delivered to the subscription and is not an "
    "undeliverable message: the publisher gets a message id, and the dead-letter queue stays empty.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html",
    means="A misspelled attribute loses messages without a trace. Watch the metric NumberOfNotificationsFilteredOut, "
    "or give one subscription no filter and look for what only it got.",
)
cashier, bar, you = lab.actor("cashier"), lab.actor("bar"), lab.you
orders = lab.topic()
queue = lab.queue("bar")
failed = lab.queue("failed")
lab.allow(failed, SNS, orders)
lab.subscribe(
    orders,
    queue,
    RawMessageDelivery=True,
    FilterPolicy={"kind": ["order"]},
    RedrivePolicy={"deadLetterTargetArn": failed.arn},
)

lab.step("The cashier misspells the attribute, then publishes it as it should be.")
lost = cashier.sns.publish(
    TopicArn=orders, Message="flat white", MessageAttributes={"Kind": {"DataType": "String", "StringValue": "order"}}
)
lab.check("The misspelled one is accepted", lost["MessageId"], "", "is not")
cashier.sns.publish(
    TopicArn=orders, Message="espresso", MessageAttributes={"kind": {"DataType": "String", "StringValue": "order"}}
)
lab.check("The bar gets only the second order", bar.receive_all(queue.url, count=1), ["espresso"])
left = bar.sqs.receive_message(QueueUrl=queue.url)
lab.check("Nothing else is in its queue", left.count, 0)
dead = you.sqs.receive_message(QueueUrl=failed.url)
lab.check("Nothing is in the dead-letter queue", dead.count, 0)
