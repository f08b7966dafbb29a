"""A FIFO queue recognizes a duplicate for five minutes."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message with the same deduplication id is accepted and not delivered for five minutes; after that it is "
    "delivered again.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html",
    means="Deduplication covers a producer that retries at once. It does not cover one that was down for longer, a "
    "replay or a redrive: the consumer must be idempotent on a FIFO queue, too.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", fifo=True)
order = {"MessageBody": "flat white", "MessageGroupId": "table-1", "MessageDeduplicationId": "order-1"}

lab.step("The producer sends an order, gets no answer in time, and sends it again.")
producer.sqs.send_message(QueueUrl=orders.url, **order)
retried = producer.sqs.send_message(QueueUrl=orders.url, **order)
lab.check("The second send is accepted", retried.error, "")
received = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("One order arrives", received.bodies, ["flat white"])
consumer.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=received.receipt)

lab.wait(302, "the five minutes after the first send end")
lab.step("A third attempt comes after the five minutes.")
producer.sqs.send_message(QueueUrl=orders.url, **order)
again = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("The same order arrives a second time", again.bodies, ["flat white"])
