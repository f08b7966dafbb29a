"""A FIFO queue takes no delay for a single message."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A FIFO queue rejects a message with its own DelaySeconds: only the queue can have a delay, the same for "
    "all.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html",
    means="A retry that is scheduled by sending the message again with a growing delay works on standard queues "
    "only; on a FIFO queue change the visibility timeout instead, and accept that the group waits.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", fifo=True)
order = {"MessageGroupId": "table-1", "MessageDeduplicationId": "order-1"}

delayed = producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white", DelaySeconds=10, **order)
lab.check("The message with a delay is rejected", delayed.error, "InvalidParameterValue", "contains")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="espresso", **order)
received = consumer.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("The one without is delivered, and nothing else", received.bodies, ["espresso"])
