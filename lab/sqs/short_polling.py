"""A short poll may return nothing although a message is there."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A short poll asks only some of SQS's servers, so its response may be empty while the queue has messages; "
    "a long poll asks all of them.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html",
    means="An empty response of a short poll does not mean an empty queue: do not end a batch job, or a test, "
    "because of it. Use long polls.",
    needs=["disorder"],
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")

lab.disorder("the servers that a short poll asks have no message", queue=orders, missed_polls=1.0)
short = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=0)
lab.check("The short poll returns nothing", short.count, 0)
long = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=1)
lab.check("The long poll returns the order, which was there all the time", long.body, "flat white")
