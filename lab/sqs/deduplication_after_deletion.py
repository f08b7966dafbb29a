"""A deduplication id counts although its message was deleted."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="SQS remembers a deduplication id for five minutes after the message was sent, also when it was received "
    "and deleted meanwhile.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html",
    means="To send the same thing on purpose (a retry by your own code, a second equal order), give it a new "
    "deduplication id: with the old one the send succeeds, and the message never comes.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", fifo=True)
order = {"MessageBody": "flat white", "MessageGroupId": "table-1"}

producer.sqs.send_message(QueueUrl=orders.url, MessageDeduplicationId="order-1", **order)
done = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
consumer.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=done.receipt)
lab.check("The first order was made and deleted", done.body, "flat white")

lab.step("The same is sent again, and then another order with its own id.")
again = producer.sqs.send_message(QueueUrl=orders.url, MessageDeduplicationId="order-1", **order)
lab.check("The send of the duplicate succeeds", again.error, "")
order["MessageBody"] = "espresso"
producer.sqs.send_message(QueueUrl=orders.url, MessageDeduplicationId="order-2", **order)
received = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("Only the order with the new id arrives", received.bodies, ["espresso"])
