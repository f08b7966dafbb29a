"""A delete that comes too late is answered as a success."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Each receive has its own receipt handle, and on a standard queue a delete with the handle of an earlier "
    "receive succeeds, whether or not it deletes the message.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html",
    means="A successful delete does not prove that you were the only one who did the work: both consumers have. "
    "Measure how long your work takes against the timeout, and make the work idempotent.",
)
producer, a, b = lab.actor("producer"), lab.actor("consumer A"), lab.actor("consumer B")
orders = lab.queue("orders", VisibilityTimeout=2)

lab.step("Consumer A is slow: its timeout ends, and consumer B receives the same order.")
producer.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
first = a.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
lab.check("Consumer A gets the order", first.body, "flat white")
lab.wait(3, "consumer A works for longer than the visibility timeout")
second = b.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5, VisibilityTimeout=30)
lab.check("Consumer B gets the same order, with another handle", second.body, "flat white")

lab.step("A finishes and deletes with its old handle; then B finishes and deletes with its own.")
late = a.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=first.receipt)
lab.check("A's late delete is answered as a success", late.error, "")
own = b.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=second.receipt)
lab.check("So is B's", own.error, "")
left = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("The order is gone, and two consumers have made it", left, "0 waiting, 0 in flight, 0 delayed")
