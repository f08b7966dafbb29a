"""A topic takes 256 KiB, or 1 MiB if you say so."""

from orderboard.lab import Experiment, LongText

lab = Experiment(
    claim="A topic accepts messages of up to 256 KiB by default, and of up to 1 MiB with the attribute "
    "MaximumMessageSize.",
    source="https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html",
    means="Raise the limit at the topic rather than splitting messages. Above 256 KiB only queues, functions and "
    "Firehose can subscribe, a hundred at most.",
)
cashier, archive = lab.actor("cashier"), lab.actor("archive")
orders = lab.topic()
queue = lab.queue("archive")
lab.subscribe(orders, queue, RawMessageDelivery=True)
large = LongText("x", 300_000)

lab.step("The cashier publishes 300,000 bytes.")
refused = cashier.sns.publish(TopicArn=orders, Message=large)
lab.check("SNS rejects them", refused.error, "InvalidParameter", "contains")

lab.step("You raise the topic's limit, and the cashier tries again.")
lab.you.sns.set_topic_attributes(TopicArn=orders, AttributeName="MaximumMessageSize", AttributeValue="1048576")
cashier.sns.publish(TopicArn=orders, Message=large)
got = archive.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=5)
lab.check("The queue has all of them", got.keep("length(Messages[0].Body)", "length"), 300_000)
