"""The barista is away: the cashier goes on, and nothing is lost."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A queue takes messages while no consumer runs, keeps them for its retention period (4 days by default, 14 "
    "at most), and delivers them once a consumer is back.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html",
    means="An outage of the consumer is a backlog, not an outage of the producer. Watch the age of the oldest message: "
    "it must stay below the retention period, or the oldest messages go.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue()
late = [f"order {number}" for number in range(2, 9)]

lab.step("The barista makes one order, and goes away.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="order 1")
lab.check("The barista gets the first order", barista.receive_all(orders.url, count=1), ["order 1"])

lab.step("The cashier takes seven more orders, while nobody receives.")
with lab.each("order", late) as order:
    cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=order)
lab.wait(3, "the barista is away")
backlog = lab.counts(orders, "7 waiting, 0 in flight, 0 delayed")
lab.check("Seven orders wait", backlog, "7 waiting, 0 in flight, 0 delayed")

lab.step("The barista is back.")
lab.check("Every order is there", barista.receive_all(orders.url, count=7), late, "in any order")
drained = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("The backlog is gone", drained, "0 waiting, 0 in flight, 0 delayed")
