"""A message group id makes a standard queue fair."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="On a standard queue MessageGroupId names a tenant: while one tenant has most of the messages in flight, "
    "messages of the others are delivered before its backlog.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html",
    means="Set MessageGroupId to the tenant on every message of a shared standard queue: it needs no change in "
    "consumers. It keeps no order (that is FIFO), limits nobody, and needs consumers with many messages in flight.",
)
producer, consumers = lab.actor("producer"), lab.actor("consumers")
orders = lab.queue("orders", VisibilityTimeout=120)

lab.step("A chain of hotels sends sixty orders, and consumers are busy with fifty of them.")
entries = [{"Id": str(number), "MessageBody": "hotel", "MessageGroupId": "hotel"} for number in range(10)]
with lab.each("batch", ["1", "2", "3", "4", "5", "6"]):
    producer.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)
consumers.receive_all(orders.url, count=50, delete=False)

lab.step("A guest orders one coffee, after ten orders of the hotels that still wait.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white", MessageGroupId="guest")
next_one = consumers.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
lab.check("The guest's order comes next", next_one.body, "flat white")
