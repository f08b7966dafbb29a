"""A message can be held for twelve hours in all."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="The visibility timeout ends at most 12 hours after the receive, however often it is extended: a change "
    "that would go beyond is rejected, not shortened.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html",
    means="Work that may take longer than 12 hours does not belong under a visibility timeout: record that it was "
    "started, delete the message, and follow the work elsewhere (Step Functions, for one).",
)
producer, a = lab.actor("producer"), lab.actor("consumer A")
orders = lab.queue("orders")

producer.sqs.send_message(QueueUrl=orders.url, MessageBody="cold brew")
held = a.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.wait(2, "consumer A works")

lab.step("Consumer A asks for the full 12 hours (43,200 s), 2 s after the receive.")
beyond = a.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=held.receipt, VisibilityTimeout=43_200)
lab.check("The change is rejected", beyond.error, "InvalidParameterValue", "contains")

lab.step("It asks for a little less.")
within = a.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=held.receipt, VisibilityTimeout=43_100)
lab.check("What ends within 12 hours of the receive is accepted", within.error, "")
