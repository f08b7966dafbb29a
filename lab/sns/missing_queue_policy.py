"""Without the queue's policy a topic delivers nothing, in silence."""

from orderboard.lab import SNS, Experiment

lab = Experiment(
    claim="A queue gets a topic's messages only if the queue's policy lets sns.amazonaws.com send; without it the "
    "publisher gets no error, and the message is lost for that queue.",
    source="https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
    means="A subscription that exists and a publish that succeeds prove nothing. Set the policy with the subscription, "
    "attach a dead-letter queue, and watch NumberOfNotificationsFailed.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.topic()
queue = lab.queue("bar")
lab.subscribe(orders, queue, allowed=False, RawMessageDelivery=True)

lab.step("The cashier publishes while the queue has no policy.")
published = cashier.sns.publish(TopicArn=orders, Message="flat white")
lab.check("SNS accepts the order", published["MessageId"], "", "is not")
nothing = barista.sqs.receive_message(QueueUrl=queue.url)
lab.check("The barista gets nothing", nothing.count, 0)

lab.step("You set the queue's policy.")
lab.allow(queue, SNS, orders)
lab.step("The cashier publishes again.")
cashier.sns.publish(TopicArn=orders, Message="espresso")
lab.check("The next order arrives; the first one is lost", barista.receive_all(queue.url, count=1), ["espresso"])
