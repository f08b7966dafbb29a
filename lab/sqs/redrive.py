"""A redrive sends dead letters back as new messages."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="StartMessageMoveTask moves dead letters back to the queue that they came from, as new messages with a new "
    "id, a new age and a receive count of 0.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html",
    means="Correct the cause first: each message gets maxReceiveCount attempts again. Recognize duplicates by an id "
    "of yours in the body, because the message id changes; limit the rate with MaxNumberOfMessagesPerSecond.",
)
producer, consumer, operator = lab.actor("producer"), lab.actor("consumer"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1)
orders = lab.queue("orders", RedrivePolicy=policy)

lab.step("An order fails once too often and becomes a dead letter.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
consumer.sqs.receive_message(QueueUrl=orders.url, VisibilityTimeout=0, WaitTimeSeconds=5)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="espresso")
other = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("The consumer gets only the order that came after it", other.bodies, ["espresso"])

lab.step("The cause is corrected, and the operator starts the redrive.")
operator.sqs.start_message_move_task(SourceArn=failed.arn)
again = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=20, MessageSystemAttributeNames=["All"])
lab.check("The consumer gets the order again", again.body, "flat white")
receives = again.keep("Messages[0].Attributes.ApproximateReceiveCount", "receives")
lab.check("It counts as the first receive", receives, 1)
left = lab.counts(failed, "0 waiting, 0 in flight, 0 delayed")
lab.check("The dead-letter queue is empty", left, "0 waiting, 0 in flight, 0 delayed")
