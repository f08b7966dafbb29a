"""Events of a bus may arrive in another order."""

from orderboard.lab import Experiment, Joined

lab = Experiment(
    claim="A bus with rules does not promise to deliver events in the order in which they were put.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus.html",
    means="Put a version or a time into each event, and let the consumer ignore what is older than what it knows. "
    "AWS's newer Custom Event Bus (API eventbridgev2) has FIFO subscribers that keep the order of a group.",
    needs=["disorder"],
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus, InputPath="$.detail.state")
states = ["placed", "paid", "started", "ground", "brewed", "foamed", "made", "called", "served", "reviewed"]
states = [f'"{each}"' for each in states]

lab.disorder("deliveries are as unordered as AWS allows", queue=queue, reordering=1.0, seed=7)
lab.step("The cashier puts ten events of one order, one after the other.")
with lab.each("state", states) as state:
    cashier.events.put_events(Entries=[bus.entry(Joined(('{"state": ', state, "}")))])

got = kitchen.receive_all(queue.url, count=10)
lab.check("All of them arrive", got, states, "in any order")
lab.check("They arrive in another order", got, states, "is not")
