"""A subscriber that comes later gets nothing from before."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A standard topic keeps no messages: a subscription gets what is published after it was made.",
    source="https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html",
    means="Subscribe before anyone publishes. Where a new consumer needs the past, use a FIFO topic with an archive, "
    "or an EventBridge bus with one.",
)
cashier, statistics = lab.actor("cashier"), lab.actor("statistics")
orders = lab.topic()

lab.step("The cashier publishes an order to a topic without subscribers.")
first = cashier.sns.publish(TopicArn=orders, Message="flat white")
lab.check("SNS accepts it all the same", first["MessageId"], "", "is not")

lab.step("A queue subscribes.")
queue = lab.queue("statistics")
lab.subscribe(orders, queue, RawMessageDelivery=True)
lab.step("The cashier publishes another order.")
cashier.sns.publish(TopicArn=orders, Message="espresso")
lab.check("Only the later order arrives", statistics.receive_all(queue.url, count=1), ["espresso"])
left = statistics.sqs.receive_message(QueueUrl=queue.url)
lab.check("Nothing else is in the queue", left.count, 0)
