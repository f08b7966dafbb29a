"""On a FIFO queue a partial batch response can break the order."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Lambda deletes what a function does not report as failed, also on a FIFO queue: to keep the order, the "
    "function must report the failed message and all after it.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
    means="On a FIFO queue stop at the first failure, and return it and everything after it; a library for standard "
    "queues that reports only what failed lets later messages pass it.",
    needs=["functions"],
)
cashier, operator = lab.actor("cashier"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1, fifo=True)
orders = lab.queue("orders", fifo=True, ContentBasedDeduplication=True, VisibilityTimeout=10, RedrivePolicy=policy)
barista = lab.function(
    "barista",
    """
def handler(event, context):
    failed = [record["messageId"] for record in event["Records"] if record["body"] == "2: heat the milk"]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
""",
)

lab.step("Three steps of one order wait. The function fails with the second, and reports only this one.")
for name in ("1: grind the coffee", "2: heat the milk", "3: pour the milk"):
    cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=name, MessageGroupId="order-7")
lab.mapping(orders, barista, FunctionResponseTypes=["ReportBatchItemFailures"])
kept = lab.counts(orders, "0 waiting, 1 in flight, 0 delayed")
lab.check("The third step is done and deleted, before the second", kept, "0 waiting, 1 in flight, 0 delayed")

lab.wait(10, "the visibility timeout ends")
dead = operator.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=20)
lab.check("The second step fails for good, after the third was done", dead.body, "2: heat the milk")
