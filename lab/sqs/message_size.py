"""A message has at most one mebibyte, attributes included."""

from orderboard.lab import Experiment, LongText

lab = Experiment(
    claim="A message may have 1,048,576 bytes: body as UTF-8, and names, types and values of its attributes.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
    means="Count bytes, not characters, and leave room for attributes. Put larger documents into S3 and send their "
    "key. A batch has the same limit in all, and a topic takes 256 KiB by default: what fits a queue need not fit a "
    "topic.",
)
producer = lab.actor("producer")
orders = lab.queue("orders")
attributes = {"shop": {"DataType": "String", "StringValue": "42"}}

full = producer.sqs.send_message(QueueUrl=orders.url, MessageBody=LongText("x", 1_048_576))
lab.check("A body of 1,048,576 bytes is accepted", full.error, "")
with_attribute = producer.sqs.send_message(
    QueueUrl=orders.url, MessageBody=LongText("x", 1_048_576), MessageAttributes=attributes
)
lab.check("With an attribute it is rejected", with_attribute.error, "InvalidParameterValue", "contains")
accents = producer.sqs.send_message(QueueUrl=orders.url, MessageBody=LongText("é", 600_000))
lab.check("So are 600,000 characters of two bytes each", accents.error, "InvalidParameterValue", "contains")
