"""With a deduplication id the retry of a send is harmless."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A FIFO queue accepts a message with the deduplication id of one of the last five minutes, and does not "
    "deliver it again.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html",
    means="Derive the deduplication id from what the message is about, such as the order and its state, never at "
    "random for each attempt. After five minutes only the consumer's own memory of ids helps.",
    needs=["faults"],
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue(fifo=True)


def order(text: str) -> dict[str, object]:
    """The parameters of an order's message."""
    return {"QueueUrl": orders.url, "MessageBody": text, "MessageGroupId": "bar", "MessageDeduplicationId": text}


lab.faults(
    "Every SendMessage takes effect, and then fails", {"action": "SendMessage", "kind": "error_after", "probability": 1}
)
lab.step("The cashier sends an order, and gets an error after it was stored.")
unsure = cashier.sqs.send_message(**order("order-1"))
lab.check("The call failed, as far as the cashier knows", unsure.error, "", "is not")

lab.calm("faults", "The fault is over")
lab.step("The cashier sends it again, and then another order.")
again = cashier.sqs.send_message(**order("order-1"))
lab.check("The queue answers as if it were new", again["MessageId"], "", "is not")
cashier.sqs.send_message(**order("order-2"))
lab.check("The barista gets each order once", barista.receive_all(orders.url, count=2), ["order-1", "order-2"])
left = barista.sqs.receive_message(QueueUrl=orders.url)
lab.check("Nothing else is in the queue", left.count, 0)
