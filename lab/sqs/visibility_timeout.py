"""A message that is not deleted in time comes back."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A received message is hidden from all consumers until its visibility timeout ends, and then comes back.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html",
    means="Set the timeout longer than the work takes, or extend it while you work; and write the consumer so that the "
    "same message twice does no harm.",
)
producer, a, b = lab.actor("producer"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.queue("orders", VisibilityTimeout=30)

lab.step("The producer sends one order; consumer A receives it and then says nothing more.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
first = a.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("Consumer A gets the order", first.body, "flat white")

lab.step("Consumer B asks while A holds it.")
hidden = b.sqs.receive_message(QueueUrl=orders.url)
lab.check("Consumer B gets nothing while the order is in flight", hidden.count, 0)

lab.wait(30, "the visibility timeout ends")
again = b.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"])
lab.check("Consumer B gets the same order", again.body, "flat white")
receives = again.keep("Messages[0].Attributes.ApproximateReceiveCount", "receives")
lab.check("It is the second receive", receives, 2)
