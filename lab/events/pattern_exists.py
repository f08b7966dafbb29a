"""exists asks for a field, and sees plain values only."""

from orderboard.lab import Experiment

lab = Experiment(
    claim='{"exists": true} matches an event that has the field, {"exists": false} one that lacks it; it works on leaf '
    "nodes only, so a field that holds an object counts as missing.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
    means="To ask whether an object is there, ask for one of the fields inside it.",
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()
pattern = {"detail": {"allergy": [{"exists": True}], "cancelled": [{"exists": False}]}}
rule = lab.rule("allergies", bus=bus, EventPattern=pattern)
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus, InputPath="$.detail.number")

lab.step("The cashier puts five orders: with an allergy, null, none, cancelled, and an object as allergy.")
cashier.events.put_events(
    Entries=[
        bus.entry({"number": 1, "allergy": "nuts"}),
        bus.entry({"number": 2, "allergy": None}),
        bus.entry({"number": 3}),
        bus.entry({"number": 4, "allergy": "milk", "cancelled": True}),
        bus.entry({"number": 5, "allergy": {"kind": "eggs"}}),
    ]
)
lab.check(
    "The kitchen gets those with a leaf named allergy and none named cancelled",
    kitchen.receive_all(queue.url, count=2),
    ["1", "2"],
    "in any order",
)
