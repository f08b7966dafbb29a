"""Every rule that matches delivers, to each of its targets."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="An event goes to the targets of every rule that matches it, up to five targets a rule; rules do not "
    "compete.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html",
    means="A new consumer is a new rule. The producer does not know who listens.",
)
cashier, kitchen, statistics = lab.actor("cashier"), lab.actor("kitchen"), lab.actor("statistics")
bus = lab.bus()
all_orders = lab.rule("all", bus=bus, EventPattern={"source": ["shop"]})
express = lab.rule("express", bus=bus, EventPattern={"detail": {"service": ["express"]}})
statistics_queue, kitchen_queue = lab.queue("statistics"), lab.queue("kitchen")
lab.target(all_orders, statistics_queue, bus=bus, InputPath="$.detail.item")
lab.target(express, kitchen_queue, bus=bus, InputPath="$.detail.item")

lab.step("The cashier puts two events, one of them express.")
cashier.events.put_events(
    Entries=[bus.entry({"item": "tea", "service": "table"}), bus.entry({"item": "espresso", "service": "express"})]
)
lab.check("One rule delivers the express order", kitchen.receive_all(kitchen_queue.url, count=1), ['"espresso"'])
lab.check(
    "The other rule delivers both, the express order too",
    statistics.receive_all(statistics_queue.url, count=2),
    ['"tea"', '"espresso"'],
    "in any order",
)
