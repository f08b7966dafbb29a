"""A FIFO topic keeps a group's order in FIFO queues."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A FIFO topic delivers the messages of a group to its FIFO queues in the order of publishing, and a message "
    "with the deduplication id of another one of the last five minutes not at all.",
    source="https://docs.aws.amazon.com/sns/latest/dg/fifo-message-grouping.html",
    means="Publish what must stay in order with one message group id (the order's id), and give each message its own "
    "deduplication id (the event's id), so that a retry is harmless.",
)
cashier, kitchen, till = lab.actor("cashier"), lab.actor("kitchen"), lab.actor("till")
orders = lab.topic(fifo=True)
kitchen_queue, till_queue = lab.queue("kitchen", fifo=True), lab.queue("till", fifo=True)
lab.subscribe(orders, kitchen_queue, RawMessageDelivery=True)
lab.subscribe(orders, till_queue, RawMessageDelivery=True)

lab.step("The cashier publishes three events of one order; the second one twice, as after an answer that got lost.")
with lab.each("event", ["placed", "paid", "paid", "made"]) as event:
    cashier.sns.publish(TopicArn=orders, Message=event, MessageGroupId="order-1", MessageDeduplicationId=event)

lab.check(
    "The kitchen gets each once, in order", kitchen.receive_all(kitchen_queue.url, count=3), ["placed", "paid", "made"]
)
lab.check("The till does too", till.receive_all(till_queue.url, count=3), ["placed", "paid", "made"])
left = kitchen.sqs.receive_message(QueueUrl=kitchen_queue.url)
lab.check("Nothing else is in the kitchen's queue", left.count, 0)
