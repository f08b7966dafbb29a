"""Two equal orders are one, with deduplication by content."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="ContentBasedDeduplication takes the body alone for the deduplication id: two messages with the same body "
    "are one, also with different attributes.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html",
    means="Two guests who order the same within five minutes get one coffee. Put an id of the order into the body, "
    "or send an explicit MessageDeduplicationId: it replaces the one of the content.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue("orders", fifo=True, ContentBasedDeduplication=True)


def guest(name: str) -> dict[str, dict[str, str]]:
    """Return the message attributes of a guest."""
    return {"guest": {"DataType": "String", "StringValue": name}}


lab.step("Ada and Grace order a flat white each; their names are attributes.")
order = {"QueueUrl": orders.url, "MessageBody": "flat white", "MessageGroupId": "bar"}
cashier.sqs.send_message(MessageAttributes=guest("Ada"), **order)
cashier.sqs.send_message(MessageAttributes=guest("Grace"), **order)
lab.step("Alan orders one, too, with an explicit deduplication id.")
cashier.sqs.send_message(MessageAttributes=guest("Alan"), MessageDeduplicationId="order-3", **order)

guests = barista.receive_all(orders.url, count=2, path="MessageAttributes.guest.StringValue")
lab.check("Grace gets no coffee", guests, ["Ada", "Alan"])
