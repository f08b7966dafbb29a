"""anything-but excludes values, and needs the field to be there."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="anything-but matches a field whose value is none of those listed; an event without the field does not "
    "match.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
    means='To take events without the field too, add {"exists": false} to the same list.',
)
cashier, kitchen, archive = lab.actor("cashier"), lab.actor("kitchen"), lab.actor("archive")
bus = lab.bus()
excluded = {"anything-but": ["cancelled", "refunded"]}
strict = lab.rule("strict", bus=bus, EventPattern={"source": ["shop"], "detail": {"state": [excluded]}})
lenient_pattern = {"source": ["shop"], "detail": {"state": [excluded, {"exists": False}]}}
lenient = lab.rule("lenient", bus=bus, EventPattern=lenient_pattern)
kitchen_queue, archive_queue = lab.queue("kitchen"), lab.queue("archive")
lab.target(strict, kitchen_queue, bus=bus, InputPath="$.detail.number")
lab.target(lenient, archive_queue, bus=bus, InputPath="$.detail.number")

lab.step("The cashier puts a paid order, a cancelled one, and one without a state.")
cashier.events.put_events(
    Entries=[
        bus.entry({"number": 1, "state": "paid"}),
        bus.entry({"number": 2, "state": "cancelled"}),
        bus.entry({"number": 3}),
    ]
)
lab.check("anything-but alone takes the paid order", kitchen.receive_all(kitchen_queue.url, count=1), ["1"])
lab.check(
    "With exists beside it the one without a state comes too",
    archive.receive_all(archive_queue.url, count=2),
    ["1", "3"],
    "in any order",
)
