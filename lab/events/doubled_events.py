"""One event may run a rule twice."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="In rare cases a rule runs more than once for one event; the deliveries have the same event id.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
    means="Remember the ids of events that were handled, or make handling them twice harmless: a FIFO queue as target "
    "removes duplicates only within five minutes.",
    needs=["disorder"],
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus, InputPath="$.id")

lab.disorder("every rule of this engine runs twice for an event", doubled_events=1.0, seed=7)
lab.step("The cashier puts one event.")
cashier.events.put_events(Entries=[bus.entry({"item": "flat white"})])
got = kitchen.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=5, MaxNumberOfMessages=10)
lab.check("The kitchen gets two messages", got.count, 2)
lab.check("Both have the same event id", got.keep("Messages[0].Body == Messages[1].Body", "same_id"), "true")
