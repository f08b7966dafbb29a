"""The answer is lost, not the message: a retry sends it twice."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="SendMessage can succeed although the caller gets an error or no answer; a standard queue takes the retry as "
    "another message.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html",
    means="You cannot know whether a call without an answer took effect, and every SDK retries by itself. Retry, and "
    "carry an id in the message by which consumers find duplicates.",
    needs=["faults"],
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue()

lab.faults(
    "Every SendMessage takes effect, and then fails", {"action": "SendMessage", "kind": "error_after", "probability": 1}
)
lab.step("The cashier sends an order, and gets an error after it was stored.")
unsure = cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="order 1: flat white")
lab.check("The call failed, as far as the cashier knows", unsure.error, "", "is not")

lab.calm("faults", "The fault is over")
lab.step("The cashier sends it again.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="order 1: flat white")
lab.check(
    "The barista gets the order twice",
    barista.receive_all(orders.url, count=2),
    ["order 1: flat white", "order 1: flat white"],
)
