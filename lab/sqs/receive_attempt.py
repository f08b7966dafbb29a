"""A lost response of a FIFO queue can be asked for again."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A receive with the same ReceiveRequestAttemptId returns the same messages and receipt handles again while "
    "they are in flight.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html",
    means="Without it, a response that is lost on the way blocks its message groups until the visibility timeout "
    "ends. boto3 does not set it: choose a new id for each receive, and repeat it in your own retries.",
)
producer, consumer = lab.actor("producer"), lab.actor("consumer")
orders = lab.queue("orders", fifo=True, VisibilityTimeout=300)
producer.sqs.send_message(
    QueueUrl=orders.url, MessageBody="flat white", MessageGroupId="table-1", MessageDeduplicationId="order-1"
)

lab.step("The connection breaks while the response is on its way. The consumer repeats the request.")
ask = {"QueueUrl": orders.url, "WaitTimeSeconds": 5, "ReceiveRequestAttemptId": "attempt-1"}
lost = consumer.sqs.receive_message(**ask)
lab.check("The first response has the order", lost.body, "flat white")
other = consumer.sqs.receive_message(QueueUrl=orders.url)
lab.check("A new request gets nothing: the order is in flight", other.count, 0)
again = consumer.sqs.receive_message(**ask)
lab.check("The repeated request gets the order again", again.body, "flat white")
done = consumer.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=again.receipt)
lab.check("Its receipt handle deletes the order", done.error, "")
