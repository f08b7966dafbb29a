"""A purge deletes what is in flight and delayed, too."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="PurgeQueue deletes all messages of a queue, also those that a consumer holds and those that are delayed; "
    "it may take a minute.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html",
    means="Nothing that was purged comes back, and nothing goes to a dead-letter queue. On AWS also a message that "
    "is sent within the next minute may be deleted: in tests use a new queue instead.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", VisibilityTimeout=2)

lab.step("One order is in flight, one is waiting, one is delayed.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
held = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5, VisibilityTimeout=120)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="espresso")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="mocha", DelaySeconds=120)
before = lab.counts(orders, "1 waiting, 1 in flight, 1 delayed")
lab.check("The queue has all three", before, "1 waiting, 1 in flight, 1 delayed")

lab.you.sqs.purge_queue(QueueUrl=orders.url)
after = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("All three are gone", after, "0 waiting, 0 in flight, 0 delayed")

lab.step("The consumer finishes its order and deletes it.")
late = consumer.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=held.receipt)
lab.check("The delete is answered as a success although there is nothing to delete", late.error, "")
