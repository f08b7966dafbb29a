"""Dead letters of a standard queue keep their age."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="On a standard queue a message takes its age along to the dead-letter queue; on a FIFO queue its age "
    "starts again with the move.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    means="Give a dead-letter queue a longer retention period than its source, best 14 days: with the same period a "
    "message that failed at the end of its life is deleted before anyone has seen it.",
)
producer, consumer, operator = lab.actor("producer"), lab.actor("consumer"), lab.actor("operator")
failed, policy = lab.dead_letters("failed", after=1, MessageRetentionPeriod=60)
failed_fifo, policy_fifo = lab.dead_letters("failed_ordered", after=1, fifo=True, MessageRetentionPeriod=60)
orders = lab.queue("orders", RedrivePolicy=policy)
orders_fifo = lab.queue("ordered", fifo=True, RedrivePolicy=policy_fifo)


def send(name: str) -> None:
    """Send an order to both queues."""
    producer.sqs.send_message(QueueUrl=orders.url, MessageBody=name)
    producer.sqs.send_message(
        QueueUrl=orders_fifo.url, MessageBody=name, MessageGroupId="table-1", MessageDeduplicationId=name
    )


lab.step("The first orders wait for 40 s in their source queues; the dead-letter queues keep messages for a minute.")
send("mocha")
lab.wait(40, "the consumer is down")
lab.step("They are received once and not deleted. The next receive, for which new orders have come, moves them.")
for queue in (orders, orders_fifo):
    consumer.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=0, WaitTimeSeconds=5)
send("espresso")
for queue in (orders, orders_fifo):
    consumer.sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)

lab.wait(25, "the operator looks 25 s later")
standard = operator.sqs.receive_message(QueueUrl=failed.url)
lab.check("The standard queue's dead letter has expired, 65 s after it was sent", standard.count, 0)
fifo = operator.sqs.receive_message(QueueUrl=failed_fifo.url, WaitTimeSeconds=5)
lab.check("The FIFO queue's dead letter is there, 25 s after it was moved", fifo.body, "mocha")
