"""Lambda receives for the function, and deletes when it returns."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="An event source mapping polls the queue, invokes the function with a batch, deletes the messages if it "
    "returns, and leaves them if it raises.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html",
    means="The function neither receives nor deletes. Raise what you cannot handle: an error that is caught and only "
    "logged deletes the message. A failed message is retried by its visibility timeout, so the queue needs a "
    "dead-letter queue.",
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
lab.mapping(orders, barista, BatchSize=1)

lab.step("One order that the function can make, and one at which it raises.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink")
kept = lab.counts(orders, "0 waiting, 1 in flight, 0 delayed")
lab.check("One is deleted, the other stays in flight", kept, "0 waiting, 1 in flight, 0 delayed")

lab.wait(10, "the visibility timeout ends")
dead = operator.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=20)
lab.check("The other comes up again, and moves to the dead-letter queue", dead.body, "unknown drink")
left = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("The queue is empty", left, "0 waiting, 0 in flight, 0 delayed")
