"""Messages that the filter of a mapping does not match are deleted."""

from orderboard.lab import Experiment, Json

lab = Experiment(
    claim="Filter criteria of a mapping select the messages for the function; Lambda deletes all others from the "
    "queue, and they do not become dead letters.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html",
    means="A filter does not leave messages for others: a second function on the same queue never gets them. Give "
    "each function its own queue, and filter before it. Only the body can be filtered; a pattern for JSON also "
    "deletes every message whose body is not JSON.",
    needs=["functions"],
)
cashier, operator = lab.actor("cashier"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1)
orders = lab.queue("orders", VisibilityTimeout=10, RedrivePolicy=policy)
barista = lab.function(
    "barista", "def handler(event, context):\n    raise ValueError('every order that arrives fails')\n"
)

lab.step("The function wants hot drinks, and fails with each of them, so that they become dead letters.")
wanted = {"Pattern": Json({"body": {"kind": ["hot"]}})}
lab.mapping(orders, barista, BatchSize=1, FilterCriteria={"Filters": [wanted]})
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=Json({"kind": "cold", "drink": "water"}))
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody=Json({"kind": "hot", "drink": "mocha"}))
kept = lab.counts(orders, "0 waiting, 1 in flight, 0 delayed")
lab.check("One of the two is deleted at once", kept, "0 waiting, 1 in flight, 0 delayed")

lab.wait(10, "the visibility timeout ends")
dead = operator.receive_all(failed.url, count=1, idle_s=20)
lab.check(
    "The hot drink reached the function; the cold one is in no queue", dead, ['{"kind": "hot", "drink": "mocha"}']
)
