"""numeric compares JSON numbers, never texts."""

from orderboard.lab import Experiment

lab = Experiment(
    claim='numeric matches numbers within bounds, such as [">=", 20, "<", 100]; a number in quotes is a text and does '
    "not match.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
    means="Write amounts as JSON numbers. An order that vanishes here usually has its total in quotes.",
)
cashier, manager = lab.actor("cashier"), lab.actor("manager")
bus = lab.bus()
rule = lab.rule("large", bus=bus, EventPattern={"detail": {"total": [{"numeric": [">=", 20, "<", 100]}]}})
queue = lab.queue("large")
lab.target(rule, queue, bus=bus, InputPath="$.detail.number")

lab.step("The cashier puts orders of 19.99, 20, 42 in quotes, and 100.")
cashier.events.put_events(
    Entries=[
        bus.entry({"number": 1, "total": 19.99}),
        bus.entry({"number": 2, "total": 20}),
        bus.entry({"number": 3, "total": "42"}),
        bus.entry({"number": 4, "total": 100}),
    ]
)
lab.check("The manager gets the order of 20", manager.receive_all(queue.url, count=1), ["2"])
left = manager.sqs.receive_message(QueueUrl=queue.url)
lab.check("None of the others", left.count, 0)
