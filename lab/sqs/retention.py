"""An expired message is deleted, not dead-lettered."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message that is older than the queue's retention period is deleted, received or not; it does not go to "
    "the dead-letter queue.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    means="A dead-letter queue does not catch what nobody came to read. Set the retention to 14 days (the default is "
    "four) and an alarm on the age of the oldest message.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
failed, policy = lab.dead_letters(after=1)
orders = lab.queue("orders", MessageRetentionPeriod=60, RedrivePolicy=policy)

lab.step("The queue keeps messages for a minute, the shortest period there is. The only consumer is down.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
lab.wait(62, "the retention period ends")

lab.step("The consumer is back when another order comes.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="espresso")
received = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("It gets only the new order", received.bodies, ["espresso"])
dead = consumer.sqs.receive_message(QueueUrl=failed.url)
lab.check("The dead-letter queue does not have the old one either", dead.count, 0)
