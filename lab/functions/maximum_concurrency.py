"""A mapping can be limited to two invocations at a time."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="MaximumConcurrency limits how many invocations a mapping has at a time; messages beyond it wait in the "
    "queue and lose no receive.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
    means="Limit the mapping to protect a database, not the function by reserved concurrency: throttled invocations "
    "use up receives. The smallest limit is 2; for one at a time use a FIFO queue with one message group.",
    needs=["functions"],
)
cashier = lab.actor("cashier")
orders = lab.queue("orders", VisibilityTimeout=60)
barista = lab.function(
    "barista",
    """
import time

def handler(event, context):
    if event["Records"][0]["body"] == "cappuccino":
        time.sleep(1.2)
""",
)

lab.step("With a limit of two, five slow orders are sent. A quick one comes first, for which the function starts.")
lab.mapping(orders, barista, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="tap water")
ready = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("The quick one is done", ready, "0 waiting, 0 in flight, 0 delayed")
entries = [{"Id": str(number), "MessageBody": "cappuccino"} for number in range(5)]
cashier.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)
limited = ["2 waiting, 2 in flight, 0 delayed", "1 waiting, 2 in flight, 0 delayed"]
busy = lab.counts(orders, *limited)
lab.check("When the first one is done, two are in flight, and the rest still waits", busy, limited, "is one of")
