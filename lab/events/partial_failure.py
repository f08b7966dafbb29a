"""PutEvents may fail for some entries, and still answer 200."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A PutEvents request succeeds even if entries of it fail: FailedEntryCount counts them, and each failed "
    "entry has an ErrorCode in place of an EventId, at the same position as in the request.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html",
    means="Read FailedEntryCount after every call, and put the failed entries again. No SDK raises an error for them.",
)
cashier, kitchen = lab.actor("cashier"), lab.actor("kitchen")
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
queue = lab.queue("kitchen")
lab.target(rule, queue, bus=bus, InputPath="$.detail.item")

lab.step("The cashier puts two events in one call. The detail of the first one is not JSON.")
put = cashier.events.put_events(Entries=[bus.entry("one tea"), bus.entry({"item": "espresso"})])
lab.check("One entry failed", put["FailedEntryCount"], 1)
lab.check("The first entry has the error", put["Entries[0].ErrorCode"], "MalformedDetail")
lab.check("The second one has no error", put.keep("Entries[1].ErrorCode", "second_error"), "")
lab.check("The second event arrives", kitchen.receive_all(queue.url, count=1), ['"espresso"'])
