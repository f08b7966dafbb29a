"""Without the queue's policy a rule delivers nothing, in silence."""

from orderboard.lab import EVENTS, Experiment

lab = Experiment(
    claim="A queue gets a rule's events only if the queue's policy lets events.amazonaws.com send; without it "
    "PutEvents and PutTargets succeed, and the event is dropped.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
    means="A rule made by API or template needs the queue's policy beside it; the AWS console adds it for you. A "
    "dead-letter queue would show NO_PERMISSIONS.",
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus, allowed=False, InputPath="$.detail.item")

lab.step("The cashier puts an order while the queue has no policy.")
put = cashier.events.put_events(Entries=[bus.entry({"item": "tea"})])
lab.check("EventBridge reports no failure", put["FailedEntryCount"], 0)
nothing = kitchen.sqs.receive_message(QueueUrl=queue.url)
lab.check("The kitchen gets nothing", nothing.count, 0)

lab.step("You set the queue's policy.")
lab.allow(queue, EVENTS, rule.arn)
lab.step("The cashier puts another order.")
cashier.events.put_events(Entries=[bus.entry({"item": "espresso"})])
lab.check("It arrives; the first one is lost", kitchen.receive_all(queue.url, count=1), ['"espresso"'])
