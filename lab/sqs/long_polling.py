"""A long poll waits for a message; a short poll does not."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="With WaitTimeSeconds a receive waits until a message is there and then returns at once; without it, it "
    "returns immediately, with an empty response if need be.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html",
    means="Always wait (up to 20 s): it costs no latency, fewer requests and less money. Set the read timeout of "
    "your HTTP client above the wait time, and give each queue a thread or task, because the call blocks.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders")

lab.step("The queue is empty. A short poll does not wait.")
short = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=0)
lab.check("The short poll returns nothing", short.count, 0)

lab.step("A long poll of 20 s begins before the message is sent.")
long = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=20)
lab.start(long)
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
lab.finish(long)
lab.check("The long poll returns the order, without waiting for the 20 s to end", long.body, "flat white")
