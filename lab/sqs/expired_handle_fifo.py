"""On a FIFO queue an expired receipt handle does not delete."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A consumer of a FIFO queue that deletes after its visibility timeout has ended gets an error, and the "
    "message is delivered again.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html",
    means="Exactly-once processing of a FIFO queue ends with the visibility timeout. Extend it in time, and treat "
    "this error as: another consumer has the message now, do not report success.",
)
producer, a, b = lab.actor("producer"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.queue("orders", fifo=True, VisibilityTimeout=2)

producer.sqs.send_message(
    QueueUrl=orders.url, MessageBody="flat white", MessageGroupId="table-1", MessageDeduplicationId="order-1"
)
first = a.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.wait(3, "consumer A works for longer than the visibility timeout")
late = a.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=first.receipt)
lab.check(
    "The late delete is rejected: its receipt handle has expired", late.error, "InvalidParameterValue", "contains"
)

again = b.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("Consumer B gets the order although A has made it", again.body, "flat white")
