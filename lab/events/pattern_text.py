"""wildcard, prefix and suffix compare parts of a text."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A text matches by wildcard (* stands for any characters), by prefix, by suffix, or without regard to case; "
    "a plain value in a pattern is compared exactly, with its case.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
    means="Keep routing words in one case. Use prefix rather than wildcard where it says the same.",
)
cashier, coffee, cold, cake = lab.actor("cashier"), lab.actor("coffee bar"), lab.actor("cold bar"), lab.actor("bakery")
bus = lab.bus()
matchers = {
    "coffee": [{"wildcard": "bar/*/espresso"}],
    "cold": [{"prefix": "cold/"}, {"suffix": ".iced"}],
    "cake": [{"equals-ignore-case": "cake"}, "Torte"],
}
queues = {name: lab.queue(name) for name in matchers}
for name, matcher in matchers.items():
    rule = lab.rule(name, bus=bus, EventPattern={"detail": {"item": matcher}})
    lab.target(rule, queues[name], bus=bus, InputPath="$.detail.item")

lab.step("The cashier puts seven orders.")
items = ["bar/2/espresso", "bar/2/tea", "cold/cola", "bar/tea.iced", "CAKE", "Torte", "torte"]
cashier.events.put_events(Entries=[bus.entry({"item": item}) for item in items])
lab.check(
    "The coffee bar gets what its wildcard matches",
    coffee.receive_all(queues["coffee"].url, count=1),
    ['"bar/2/espresso"'],
)
lab.check(
    "The cold bar gets what has the prefix or the suffix",
    cold.receive_all(queues["cold"].url, count=2),
    ['"cold/cola"', '"bar/tea.iced"'],
    "in any order",
)
lab.check(
    "The bakery gets cake in any case, and Torte only in its own",
    cake.receive_all(queues["cake"].url, count=2),
    ['"CAKE"', '"Torte"'],
    "in any order",
)
