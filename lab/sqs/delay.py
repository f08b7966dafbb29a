"""A delay hides a message from the moment it is sent."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A queue's DelaySeconds hides each new message for that time; a message's own DelaySeconds replaces it, "
    "also with 0.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html",
    means="A delay is at most 15 minutes and cannot be changed once the message is sent; for later times use "
    "EventBridge Scheduler. A delayed message counts as delayed, not as waiting: alarms on the latter miss it.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", DelaySeconds=4)

lab.step("The queue delays by 4 s; the second order has a delay of 0.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="tap water", DelaySeconds=0)
now = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
lab.check("Only the order without a delay can be received", now.bodies, ["tap water"])
consumer.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=now.receipt)

lab.wait(4, "the queue's delay ends")
later = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("The delayed order arrives", later.body, "flat white")
