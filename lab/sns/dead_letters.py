"""A dead-letter queue keeps what a subscription did not deliver."""

from orderboard.lab import SNS, Experiment

lab = Experiment(
    claim="SNS does not retry a delivery that the endpoint refuses (a client-side error, such as a missing "
    "permission); it sends the message to the dead-letter queue of the subscription.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html",
    means="Give each subscription a dead-letter queue: it belongs to the subscription, not to the topic, and its "
    "policy must let the topic send.",
)
cashier, you = lab.actor("cashier"), lab.you
orders = lab.topic()
bar, failed = lab.queue("bar"), lab.queue("failed")
lab.allow(failed, SNS, orders)
lab.subscribe(orders, bar, allowed=False, RawMessageDelivery=True, RedrivePolicy={"deadLetterTargetArn": failed.arn})

lab.step("The bar's queue does not let the topic send. The cashier publishes an order.")
cashier.sns.publish(TopicArn=orders, Message="flat white")
lab.check("The order is in the dead-letter queue", you.receive_all(failed.url, count=1), ["flat white"])

lab.step("You set the queue's policy.")
lab.allow(bar, SNS, orders)
lab.step("You publish again what the dead-letter queue had.")
you.sns.publish(TopicArn=orders, Message="flat white")
lab.check("The order arrives", lab.actor("barista").receive_all(bar.url, count=1), ["flat white"])
