"""On a FIFO queue a failing message stops its group, also for Lambda."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="With a FIFO queue Lambda processes each message group in order: while a message fails, the rest of its "
    "group waits and other groups go on.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
    means="Concurrency is the number of active message groups. Give the queue a dead-letter queue, or one message "
    "that fails stops its group until it expires.",
    needs=["functions"],
)
cashier, operator = lab.actor("cashier"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1, fifo=True)
orders = lab.queue("orders", fifo=True, ContentBasedDeduplication=True, VisibilityTimeout=10, RedrivePolicy=policy)
barista = lab.function(
    "barista",
    """
def handler(event, context):
    if event["Records"][0]["body"] == "unknown drink":
        raise ValueError("cannot make it")
""",
)

lab.step("Table 1 orders what cannot be made, and then a flat white. Table 2 orders tea.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink", MessageGroupId="table-1")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="flat white", MessageGroupId="table-1")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="tea", MessageGroupId="table-2")
lab.mapping(orders, barista, BatchSize=1)
stuck = lab.counts(orders, "1 waiting, 1 in flight, 0 delayed")
lab.check("The tea is made; the flat white waits for what fails", stuck, "1 waiting, 1 in flight, 0 delayed")

lab.wait(10, "the visibility timeout ends")
dead = operator.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=20)
lab.check("What failed moves to the dead-letter queue", dead.body, "unknown drink")
left = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("Then the flat white is made", left, "0 waiting, 0 in flight, 0 delayed")
