"""After maxReceiveCount receives a message is dead-lettered."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message that was received maxReceiveCount times and not deleted moves to the dead-letter queue when it "
    "would be received once more.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    means="Nothing moves while nobody receives, and the time until then is maxReceiveCount times the visibility "
    "timeout. Five receives or more leave room for restarts and slow dependencies.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
failed, policy = lab.dead_letters(after=2)
orders = lab.queue("orders", VisibilityTimeout=2, RedrivePolicy=policy)

producer.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink")
with lab.each("attempt", ["first", "second"]):
    lab.step("The consumer receives the order, fails, and does not delete it.")
    attempt = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
    lab.check("The consumer gets the order", attempt.body, "unknown drink")
    lab.wait(2, "the visibility timeout ends")

early = consumer.sqs.receive_message(QueueUrl=failed.url)
lab.check("The dead-letter queue is still empty after two receives", early.count, 0)
lab.step("The consumer polls a third time, when another order has come.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
third = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("It gets the other order only", third.bodies, ["flat white"])
dead = consumer.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=5)
lab.check("The first order is in the dead-letter queue", dead.body, "unknown drink")
