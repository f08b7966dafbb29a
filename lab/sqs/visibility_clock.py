"""The visibility timeout of a whole batch starts at the receive."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="The visibility timeout of a message starts when SQS returns it, so it also runs for the messages of a "
    "batch that your code has not come to yet.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html",
    means="Set the timeout for the whole batch and everything that you buffer, not for one message; receive fewer at "
    "a time, or extend the timeout of all messages that you hold.",
)
producer, a, b = lab.actor("producer"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.queue("orders", VisibilityTimeout=5)

lab.step("Consumer A receives three orders at once. The timeout is 5 s, and A needs 2 s for each order.")
names = ["flat white", "espresso", "mocha"]
entries = [{"Id": str(number), "MessageBody": name} for number, name in enumerate(names)]
producer.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)
batch = a.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("Consumer A gets all three", batch.bodies, names, "in any order")

lab.wait(2, "consumer A works on the first order")
a.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=batch.keep("Messages[0].ReceiptHandle", "first_receipt"))
lab.wait(2, "consumer A works on the second order")
a.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=batch.keep("Messages[1].ReceiptHandle", "second_receipt"))

lab.step("A has just begun the third order, and its timeout ends a second later.")
lab.wait(2, "consumer A works on the third order")
late = b.sqs.receive_message(
    QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"]
)
lab.check("Consumer B gets the third order, on which A works", late.count, 1)
receives = late.keep("Messages[0].Attributes.ApproximateReceiveCount", "receives")
lab.check("It is the second receive of this order", receives, 2)
