"""An event that no rule matches is accepted and gone."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="PutEvents succeeds for an event that no rule matches; a bus keeps no events, so a rule that is made later "
    "does not get it.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-migrate.html",
    means="An EventId does not mean that anyone got the event. Archive the bus if the past may matter, and watch for "
    "events that only a catch-all rule matches.",
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()

lab.step("The cashier puts an event on a bus without rules.")
put = cashier.events.put_events(Entries=[bus.entry({"item": "tea"})])
lab.check("EventBridge reports no failure", put["FailedEntryCount"], 0)
lab.check("It gives the event an id", put["Entries[0].EventId"], "", "is not")

lab.step("The kitchen's rule is made.")
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus, InputPath="$.detail.item")
lab.step("The cashier puts another event.")
cashier.events.put_events(Entries=[bus.entry({"item": "espresso"})])
lab.check("The kitchen gets the later event", kitchen.receive_all(queue.url, count=1), ['"espresso"'])
left = kitchen.sqs.receive_message(QueueUrl=queue.url)
lab.check("It gets nothing else", left.count, 0)
