"""A function can report which messages of a batch failed."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="With ReportBatchItemFailures only the messages whose ids the function returns are delivered again; the "
    "others of the batch are deleted.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
    means="Turn it on for every mapping of a queue, and return batchItemFailures. If the function raises, or returns "
    "an id that is not in the batch, the whole batch fails.",
    needs=["functions"],
)
cashier, operator = lab.actor("cashier"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1)
orders = lab.queue("orders", VisibilityTimeout=10, RedrivePolicy=policy)
barista = lab.function(
    "barista",
    """
def handler(event, context):
    failed = [record["messageId"] for record in event["Records"] if record["body"] == "unknown drink"]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
""",
)

lab.step("Three orders wait, one of which cannot be made. Then the mapping begins.")
names = ["flat white", "unknown drink", "espresso"]
entries = [{"Id": str(number), "MessageBody": name} for number, name in enumerate(names)]
cashier.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)
lab.mapping(orders, barista, FunctionResponseTypes=["ReportBatchItemFailures"])
kept = lab.counts(orders, "0 waiting, 1 in flight, 0 delayed")
lab.check("Two are deleted", kept, "0 waiting, 1 in flight, 0 delayed")

lab.wait(10, "the visibility timeout ends")
dead = operator.receive_all(failed.url, count=1, idle_s=20)
lab.check("The reported one fails alone", dead, ["unknown drink"])
