"""A standard topic cannot feed a FIFO queue."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A FIFO queue can subscribe only to a FIFO topic: a standard topic rejects it.",
    source="https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html",
    means="Order begins at the topic. Choose FIFO for the topic when you create it: a topic cannot change its type.",
)
you = lab.you
orders = lab.topic()
queue = lab.queue("bar", fifo=True)

lab.step("You subscribe a FIFO queue to a standard topic.")
refused = you.sns.subscribe(TopicArn=orders, Protocol="sqs", Endpoint=queue.arn)
lab.check("SNS rejects it", refused.error, "InvalidParameter", "contains")
