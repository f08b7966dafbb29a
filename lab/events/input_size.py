"""An event may have a megabyte: 256 KB is the old limit."""

from orderboard.lab import Experiment, Joined, LongText

lab = Experiment(
    claim="The entries of one PutEvents request may have 1 MB together; a larger request is rejected as a whole.",
    source="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html",
    means="Most courses, and some of AWS's own pages, still say 256 KB. Each target has a limit too, so put large "
    "documents into S3 and send their address all the same.",
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus)


def note(length: int) -> Joined:
    """A detail with a note of so many characters."""
    return Joined(('{"note": "', LongText("x", length), '"}'))


lab.step("The cashier puts an event of 300,000 bytes.")
put = cashier.events.put_events(Entries=[bus.entry(note(300_000))])
lab.check("EventBridge accepts it", put["FailedEntryCount"], 0)
got = kitchen.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=5)
lab.check("The queue has all of it", got.keep("length(Messages[0].Body)", "length"), 300_000, "at least")

lab.step("The cashier puts two events that have more than 1 MB together.")
refused = cashier.events.put_events(Entries=[bus.entry(note(600_000)), bus.entry(note(600_000))])
lab.check("EventBridge rejects the request", refused.error, "", "is not")
left = kitchen.sqs.receive_message(QueueUrl=queue.url)
lab.check("Neither of them arrives", left.count, 0)
