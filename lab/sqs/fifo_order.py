"""A FIFO queue keeps the order within a message group only."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="While a message of a group is in flight, the later ones of its group wait; messages of other groups do not.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html",
    means="The message group is the unit of order and of parallelism: one group for all messages is one consumer at "
    "a time. Choose what must stay in order (an order, a customer) as the group.",
)
cashier, a, b = lab.actor("cashier"), lab.actor("barista A"), lab.actor("barista B")
orders = lab.queue("orders", fifo=True, ContentBasedDeduplication=True)

lab.step("Table 1 orders twice, and barista A takes the first order.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="table 1: soup", MessageGroupId="table-1")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="table 1: bill", MessageGroupId="table-1")
soup = a.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
lab.check("Barista A gets the first order of table 1", soup.body, "table 1: soup")

lab.step("Table 2 orders, and barista B asks for as much as there is.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="table 2: tea", MessageGroupId="table-2")
tea = b.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("Barista B gets the order of table 2 alone: table 1 waits for the soup", tea.bodies, ["table 2: tea"])

lab.step("Barista A deletes the first order.")
a.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=soup.receipt)
bill = b.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("Now the second order of table 1 can be received", bill.bodies, ["table 1: bill"])
