"""A standard queue may deliver a message twice at the same time."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A standard queue delivers at least once: two consumers can hold the same message, although no visibility "
    "timeout has ended.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
    "standard-queues-at-least-once-delivery.html",
    means="No visibility timeout is long enough to rule out duplicates. Make the work idempotent; a FIFO queue rules "
    "out this kind of duplicate, and costs throughput.",
    needs=["disorder"],
)
producer, a, b = lab.actor("producer"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.queue("orders", VisibilityTimeout=300)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")

lab.disorder("a server that was unavailable at the receive still has its copy", queue=orders, duplicates=1.0)
first = a.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("Consumer A gets the order for five minutes", first.body, "flat white")
lab.calm("disorder", "all servers are available again")
second = b.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("Consumer B gets it in the same minute", second.body, "flat white")

a.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=first.receipt)
b.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=second.receipt)
left = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("Both deletes succeed; one order was made twice", left, "0 waiting, 0 in flight, 0 delayed")
