"""The body in the queue is an envelope, unless delivery is raw."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Without raw message delivery a queue gets a JSON envelope whose Message is the text, and message attributes "
    "are inside it; with it the body is the text, and they are attributes of the SQS message.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html",
    means="Set RawMessageDelivery where the consumer reads the queue itself. A consumer that must also verify the "
    "topic reads the envelope.",
)
cashier, a, b = lab.actor("cashier"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.topic()
enveloped, raw = lab.queue("enveloped"), lab.queue("raw")
lab.subscribe(orders, enveloped)
lab.subscribe(orders, raw, RawMessageDelivery=True)

lab.step("The cashier publishes an order with the attribute size.")
cashier.sns.publish(
    TopicArn=orders,
    Message="flat white",
    MessageAttributes={"size": {"DataType": "String", "StringValue": "large"}},
)

lab.step("Consumer A reads the queue without raw delivery.")
first = a.sqs.receive_message(QueueUrl=enveloped.url, WaitTimeSeconds=5, MessageAttributeNames=["All"])
lab.check("The body is an envelope", first.body, '"TopicArn"', "contains")
lab.check("The order is inside it", first.body, '"flat white"', "contains")
lab.check("The SQS message has no attribute", first["Messages[0].MessageAttributes.size.StringValue"], "")

lab.step("Consumer B reads the queue with raw delivery.")
second = b.sqs.receive_message(QueueUrl=raw.url, WaitTimeSeconds=5, MessageAttributeNames=["All"])
lab.check("The body is the order", second.body, "flat white")
lab.check("The attribute is one of the SQS message", second["Messages[0].MessageAttributes.size.StringValue"], "large")
