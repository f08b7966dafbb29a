"""Consumers of one queue share its messages."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message goes to one consumer at a time and is deleted for all: two programs that read one queue do not "
    "get a copy each.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html",
    means="Any number of instances of one program may read a queue; that is how to do more at a time. If two "
    "programs need every message, give each its own queue behind a topic or a bus.",
)
cashier, barista, accounts = lab.actor("cashier"), lab.actor("barista"), lab.actor("accounts")
orders = lab.queue("orders")

lab.step("The cashier sends two orders. The barista and the accounts program both read the queue.")
for name in ("flat white", "espresso"):
    cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=name)
one = barista.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=1, WaitTimeSeconds=5)
lab.check("The barista gets one of the two", one.body, ["flat white", "espresso"], "is one of")
other = accounts.sqs.receive_message(QueueUrl=orders.url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
lab.check("The accounts program gets the other, and only that", other.count, 1)

lab.step("Each deletes what it has.")
barista.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=one.receipt)
accounts.sqs.delete_message(QueueUrl=orders.url, ReceiptHandle=other.receipt)
left = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("Nothing is left: each program has missed an order", left, "0 waiting, 0 in flight, 0 delayed")
