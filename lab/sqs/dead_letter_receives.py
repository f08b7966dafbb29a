"""A dead letter keeps its id and its number of receives."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message keeps its id and its receive count when it moves to the dead-letter queue: "
    "ApproximateReceiveCount counts across all queues.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html",
    means='Do not decide by the receive count alone in a consumer of dead letters ("first receive" never is one). '
    "The kept message id is what leads from a dead letter to the logs of the failed attempts.",
)
producer, consumer, operator = lab.actor("producer"), lab.actor("consumer"), lab.actor("operator")
failed, policy = lab.dead_letters(after=2)
orders = lab.queue("orders", RedrivePolicy=policy)

producer.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink")
lab.step("Two receives without a delete; the third, for which another order has come, moves the message.")
with lab.each("attempt", ["first", "second"]):
    consumer.sqs.receive_message(QueueUrl=orders.url, VisibilityTimeout=0, WaitTimeSeconds=5)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)

dead = operator.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"])
lab.check("The dead letter has the order", dead.body, "unknown drink")
receives = dead.keep("Messages[0].Attributes.ApproximateReceiveCount", "receives")
lab.check("Its first receive in the dead-letter queue is its third in all", receives, 3)
source = dead.keep("Messages[0].Attributes.DeadLetterQueueSourceArn", "source_arn")
lab.check("It names the queue that it comes from", source, "orders", "contains")
