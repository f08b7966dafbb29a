"""A new visibility timeout counts from the change."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="ChangeMessageVisibility sets the timeout anew, from the moment of the call: it replaces the time that was "
    "left and is not added to it.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html",
    means="Extend with a heartbeat while you work, each time by more than the distance to the next heartbeat; a "
    "short value by mistake brings the message back sooner than the queue's timeout would have.",
)
producer, a, b = lab.actor("producer"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.queue("orders", VisibilityTimeout=4)

lab.step("Consumer A receives an order for 4 s and, after 3 s, asks for another 4 s.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
first = a.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.wait(3, "consumer A works")
a.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=first.receipt, VisibilityTimeout=4)

lab.wait(2, "the first timeout would have ended a second ago")
hidden = b.sqs.receive_message(QueueUrl=orders.url)
lab.check("Consumer B gets nothing 5 s after the receive", hidden.count, 0)

lab.wait(3, "4 s since the change have passed")
again = b.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=2)
lab.check("Consumer B gets the order 8 s after the receive: the timeout was not 3 + 4 + 4 s", again.body, "flat white")
