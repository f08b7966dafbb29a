"""One message fails, and the whole batch comes back."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Without partial batch responses a function that raises fails its whole batch: messages that it has "
    "already processed are delivered again, and end in the dead-letter queue with the one that fails.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
    means="Return partial batch responses, or take batches of one. Until then a poison message takes good ones "
    "along, and their effects happen as often as it is retried.",
    needs=["functions"],
)
cashier, operator = lab.actor("cashier"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1)
orders = lab.queue("orders", VisibilityTimeout=10, RedrivePolicy=policy)
barista = lab.function(
    "barista",
    """
def handler(event, context):
    for record in event["Records"]:
        if record["body"] == "unknown drink":
            raise ValueError(f"cannot make {record['body']}")
""",
)

lab.step("Three orders wait, the last of which cannot be made. Then the mapping begins.")
names = ["flat white", "espresso", "unknown drink"]
entries = [{"Id": str(number), "MessageBody": name} for number, name in enumerate(names)]
cashier.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)
lab.mapping(orders, barista)
kept = lab.counts(orders, "0 waiting, 3 in flight, 0 delayed")
lab.check("All three are in flight", kept, "0 waiting, 3 in flight, 0 delayed")

lab.wait(10, "the visibility timeout ends")
dead = operator.receive_all(failed.url, count=3, idle_s=20)
lab.check("All three are dead letters, with the two that were made", dead, names, "in any order")
