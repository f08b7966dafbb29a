"""A burst becomes a backlog, not an error."""

from orderboard.lab import Experiment, Joined

lab = Experiment(
    claim="A standard queue takes a nearly unlimited number of messages a second, whatever the pace of its consumers; "
    "the burst becomes a backlog.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html",
    means="Size consumers for the average load, and let the backlog take the peaks. Scale by the backlog for each "
    "consumer, not by the processor's load.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue()
tables = ["1", "2", "3", "4"]

lab.step("A bus stops in front of the shop: forty orders in four calls.")
with lab.each("table", tables) as table:
    guests = [{"Id": str(seat), "MessageBody": Joined(("table ", table, f", seat {seat}"))} for seat in range(10)]
    cashier.sqs.send_message_batch(QueueUrl=orders.url, Entries=guests)
peak = lab.counts(orders, "40 waiting, 0 in flight, 0 delayed")
lab.check("Forty orders wait", peak, "40 waiting, 0 in flight, 0 delayed")

lab.step("One barista works off the backlog, ten at a time.")
every_order = [f"table {table}, seat {seat}" for table in tables for seat in range(10)]
lab.check("Every order is made", barista.receive_all(orders.url, count=40), every_order, "in any order")
drained = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("The backlog is gone", drained, "0 waiting, 0 in flight, 0 delayed")
