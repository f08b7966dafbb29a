"""$or matches if one of several fields does."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Fields of a pattern are joined by and; $or holds alternatives of which one must match, and is itself joined "
    "by and with the fields beside it.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
    means="One rule with $or delivers an event once. Two rules would deliver it twice where both match.",
)
cashier, manager = lab.actor("cashier"), lab.actor("manager")
bus = lab.bus()
pattern = {
    "source": ["shop"],
    "detail": {"$or": [{"total": [{"numeric": [">=", 20]}]}, {"service": ["express"]}]},
}
rule = lab.rule("special", bus=bus, EventPattern=pattern)
queue = lab.queue("special")
lab.target(rule, queue, bus=bus, InputPath="$.detail.number")

lab.step("The cashier puts a small order, a large one, an express one, and one that is both.")
cashier.events.put_events(
    Entries=[
        bus.entry({"number": 1, "total": 3, "service": "table"}),
        bus.entry({"number": 2, "total": 50, "service": "table"}),
        bus.entry({"number": 3, "total": 3, "service": "express"}),
        bus.entry({"number": 4, "total": 50, "service": "express"}),
        bus.entry({"number": 5, "total": 50, "service": "express"}, source="test"),
    ]
)
lab.check(
    "The manager gets each that matches an alternative, once",
    manager.receive_all(queue.url, count=3),
    ["2", "3", "4"],
    "in any order",
)
left = manager.sqs.receive_message(QueueUrl=queue.url)
lab.check("Nothing else, and none twice", left.count, 0)
