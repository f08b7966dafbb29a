"""A dead-letter queue breaks the order of a FIFO queue."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="When a message of a FIFO queue moves to the dead-letter queue, the next one of its group is delivered as "
    "if the failed one had never been there.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    means="Do not give a FIFO queue a dead-letter queue if a message makes sense only after the ones before it, such "
    "as the edits of a document. Otherwise check in the consumer that the earlier step was done.",
)
cashier, barista, operator = lab.actor("cashier"), lab.actor("barista"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1, fifo=True)
orders = lab.queue("orders", fifo=True, ContentBasedDeduplication=True, RedrivePolicy=policy)

for name in ("1: make the coffee", "2: add the milk"):
    cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=name, MessageGroupId="order-7")
lab.step("The barista fails with the first step, and one attempt is all there is.")
first = barista.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
lab.check("The barista gets the first step", first.body, "1: make the coffee")
barista.sqs.change_message_visibility(QueueUrl=orders.url, ReceiptHandle=first.receipt, VisibilityTimeout=0)

second = barista.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
lab.check("The second step comes although the first was not done", second.body, "2: add the milk")
dead = operator.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=5)
lab.check("The first step is a dead letter", dead.body, "1: make the coffee")
