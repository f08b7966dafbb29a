"""All fields that a pattern names must match, at their depth."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="All fields that a pattern names must match, at the depth at which it names them; of the values in a list "
    "one must match, and an array in the event matches by any of its elements.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html",
    means="Put what consumers route by into the detail, under stable names. Fields that a pattern does not name do not "
    "matter, so an event can grow.",
)
cashier, bakery = lab.actor("cashier"), lab.actor("bakery")
bus = lab.bus()
pattern = {"source": ["shop"], "detail": {"customer": {"level": ["gold", "silver"]}, "items": ["cake"]}}
rule = lab.rule("cakes", bus=bus, EventPattern=pattern)
queue = lab.queue("bakery")
lab.target(rule, queue, bus=bus, InputPath="$.detail.number")

lab.step("The cashier puts five orders.")
cashier.events.put_events(
    Entries=[
        bus.entry({"number": 1, "customer": {"level": "gold"}, "items": ["tea", "cake"], "tip": 2}),
        bus.entry({"number": 2, "customer": {"level": "bronze"}, "items": ["cake"]}),
        bus.entry({"number": 3, "customer": {"level": "gold"}, "items": ["tea"]}),
        bus.entry({"number": 4, "level": "gold", "items": ["cake"]}),
        bus.entry({"number": 5, "customer": {"level": "silver"}, "items": ["cake"]}),
    ]
)
lab.check(
    "The bakery gets those in which every named field matches",
    bakery.receive_all(queue.url, count=2),
    ["1", "5"],
    "in any order",
)
