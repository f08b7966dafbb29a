"""A poison message without a dead-letter queue stays for days."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Without a dead-letter queue a message that always fails is delivered again and again until the retention "
    "period ends; on a standard queue others still get through.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/capturing-problematic-messages.html",
    means="Give every queue a dead-letter queue and an alarm on it. Without one, a poison message costs consumers "
    "and money for up to 14 days and then disappears without a trace.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders")

producer.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink")
lab.step("The consumer fails nine times, and gives the order back each time.")
with lab.each("attempt", [str(number) for number in range(1, 10)]):
    consumer.sqs.receive_message(QueueUrl=orders.url, VisibilityTimeout=0, WaitTimeSeconds=5)

last = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"])
lab.check("It gets the same order for the tenth time", last.body, "unknown drink")
receives = last.keep("Messages[0].Attributes.ApproximateReceiveCount", "receives")
lab.check("The receive count is all that has changed", receives, 10)

lab.step("Another order is sent meanwhile.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
other = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("It does not wait for the poison message", other.body, "flat white")
