"""A consumer that is away loses nothing behind a queue."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message delivered to a subscribed queue waits there until it is received and deleted, or until the "
    "queue's retention period ends (4 days by default, 14 at most).",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html",
    means='"SNS loses what a subscriber misses" is not true of queues: the queue is the subscriber, and it is never '
    "away. Put a queue between the topic and each consumer.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.topic()
queue = lab.queue("bar")
lab.subscribe(orders, queue, RawMessageDelivery=True)

lab.step("The barista is away. The cashier publishes three orders.")
with lab.each("drink", ["flat white", "espresso", "tea"]) as drink:
    cashier.sns.publish(TopicArn=orders, Message=drink)
lab.wait(5, "nobody receives")

lab.step("The barista is back.")
lab.check(
    "All three orders are there",
    barista.receive_all(queue.url, count=3),
    ["flat white", "espresso", "tea"],
    "in any order",
)
