"""A standard queue does not keep the order."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A standard queue keeps the order of sending only as far as it can: messages may arrive in another order, "
    "and all of them arrive.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html",
    means="Do not let a later message depend on an earlier one (a cancellation may come before its order). Where "
    "order matters, send to a FIFO queue with a message group, or put a version into the message and ignore older "
    "ones.",
    needs=["disorder"],
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders")
numbers = [str(number) for number in range(1, 21)]

lab.disorder("messages are spread over servers that answer at different speeds", queue=orders, reordering=1.0)
lab.step("The producer sends twenty numbered orders, in two batches.")
for batch in (numbers[:10], numbers[10:]):
    entries = [{"Id": number, "MessageBody": number} for number in batch]
    producer.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)

received = consumer.receive_all(orders.url, count=20)
lab.check("All twenty arrive", received, numbers, "in any order")
lab.check("They do not arrive in the order of sending", received, numbers, "is not")
