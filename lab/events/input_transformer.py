"""An input transformer gives the target the text that it needs."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A target with an InputTransformer gets the template, with the values that its paths find in the event; "
    "other targets of the same rule get the event as it is.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html",
    means="Shape events at the rule, so that a consumer needs no knowledge of the envelope. A dead-letter queue gets "
    "the event as it was before.",
)
cashier, display, statistics = lab.actor("cashier"), lab.actor("display"), lab.actor("statistics")
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
display_queue, statistics_queue = lab.queue("display"), lab.queue("statistics")
transformer = {
    "InputPathsMap": {"count": "$.detail.count", "item": "$.detail.item"},
    "InputTemplate": '{"text": "<count> times <item>"}',
}
lab.target(rule, display_queue, bus=bus, InputTransformer=transformer)
lab.target(rule, statistics_queue, bus=bus)

lab.step("The cashier puts an order.")
cashier.events.put_events(Entries=[bus.entry({"item": "flat white", "count": 2})])
shown = display.sqs.receive_message(QueueUrl=display_queue.url, WaitTimeSeconds=5)
only_text = ['{"text":"2 times flat white"}', '{"text": "2 times flat white"}']
lab.check("It gets nothing else of the event", shown.body, only_text, "is one of")
whole = statistics.sqs.receive_message(QueueUrl=statistics_queue.url, WaitTimeSeconds=5)
lab.check("The statistics get the event", whole.body, '"detail-type"', "contains")
