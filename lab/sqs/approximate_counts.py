"""A queue without waiting messages need not be empty."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A queue has three counts: waiting, in flight and delayed messages. They are approximate, and right at the "
    "latest about a minute after the last send.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html",
    means='"ApproximateNumberOfMessages is 0" does not mean that the work is done: add all three, and look again '
    "after a minute before you scale to nothing or end a test.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", VisibilityTimeout=120)

lab.step("One order is received and not deleted; another one is delayed.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
held = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="espresso", DelaySeconds=300)
busy = lab.counts(orders, "0 waiting, 1 in flight, 1 delayed")
lab.check("None is waiting, and there are two", busy, "0 waiting, 1 in flight, 1 delayed")

lab.step("The consumer gives the order back.")
consumer.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=held.receipt, VisibilityTimeout=0)
free = lab.counts(orders, "1 waiting, 0 in flight, 1 delayed")
lab.check("It is waiting again", free, "1 waiting, 0 in flight, 1 delayed")
