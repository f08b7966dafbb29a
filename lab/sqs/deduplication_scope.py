"""A deduplication id counts for the whole queue by default."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="By default a deduplication id counts across all message groups of a queue; with DeduplicationScope "
    "messageGroup each group has its own.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html",
    means="Ids such as order-1 that each customer counts for itself collide across groups, and the second message is "
    "lost in silence. Make ids unique in the queue, or set the scope to messageGroup.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
whole = lab.queue("whole", fifo=True)
grouped = lab.queue("grouped", fifo=True, DeduplicationScope="messageGroup")

lab.step("Table 1 and table 2 both call their first order order-1; table 2 orders once more. Two queues get all of it.")
for queue in (whole, grouped):
    for table, drink in (("table-1", "flat white"), ("table-2", "espresso")):
        producer.sqs.send_message(
            QueueUrl=queue.url, MessageBody=drink, MessageGroupId=table, MessageDeduplicationId="order-1"
        )

    producer.sqs.send_message(
        QueueUrl=queue.url, MessageBody="mocha", MessageGroupId="table-2", MessageDeduplicationId="order-2"
    )

two = consumer.receive_all(whole.url, count=2)
lab.check("With the default the espresso counted as a duplicate", two, ["flat white", "mocha"], "in any order")
three = consumer.receive_all(grouped.url, count=3)
names = ["flat white", "espresso", "mocha"]
lab.check("With the scope messageGroup all three orders arrive", three, names, "in any order")
