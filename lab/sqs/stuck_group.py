"""A message that fails blocks its message group."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="On a FIFO queue without a dead-letter queue a message that always fails blocks the rest of its group "
    "until it expires; other groups go on.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html",
    means="Decide what is worse: a group that stands still, or a dead-letter queue that lets later messages pass the "
    "failed one. Alarm on the age of the oldest message; the number of messages does not show it.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue("orders", fifo=True, ContentBasedDeduplication=True)

lab.step("The first order of table 1 cannot be made; three more wait behind it.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink", MessageGroupId="table-1")
for name in ("flat white", "espresso", "mocha"):
    cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=name, MessageGroupId="table-1")
with lab.each("attempt", ["first", "second", "third"]):
    failing = barista.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
    lab.check("The barista gets the same order", failing.body, "unknown drink")
    barista.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=failing.receipt, VisibilityTimeout=0)

lab.step("It is in flight once more when table 2 orders.")
barista.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="tea", MessageGroupId="table-2")
other = barista.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("Only the order of table 2 can be received: three good orders of table 1 wait", other.bodies, ["tea"])
