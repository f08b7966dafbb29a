"""An archive replays the past, to one rule if you like."""

from orderboard.lab import Experiment, Name

lab = Experiment(
    claim="An archive keeps the events of a bus, for as long as you like, and a replay sends those of a time range "
    "again, to all rules or to those that it names; a replayed event has the name of its replay.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html",
    means='"EventBridge keeps nothing" is true only without an archive. Name the rule of the new or repaired consumer '
    "in FilterArns, or all the others get the past too.",
)
cashier, kitchen, statistics, you = lab.actor("cashier"), lab.actor("kitchen"), lab.actor("statistics"), lab.you
bus = lab.bus()
archive = lab.archive(bus, RetentionDays=1)
kitchen_queue = lab.queue("kitchen")
kitchen_rule = lab.rule("kitchen", bus=bus, EventPattern={"source": ["shop"]})
lab.target(kitchen_rule, kitchen_queue, bus=bus, InputPath="$.detail.item")

lab.step("The cashier puts an order; the kitchen gets it.")
cashier.events.put_events(Entries=[bus.entry({"item": "flat white"})])
lab.check("The kitchen gets the order", kitchen.receive_all(kitchen_queue.url, count=1), ['"flat white"'])
lab.wait(60, "the event is in the archive (AWS: within ten minutes)")

lab.step("A rule for statistics is made.")
statistics_queue = lab.queue("statistics")
statistics_rule = lab.rule("statistics", bus=bus, EventPattern={"source": ["shop"]})
lab.target(statistics_rule, statistics_queue, bus=bus)

lab.step("You replay what is older than its queue, for this rule alone.")


def created(queue_url: object, name: str) -> object:
    """The time at which a queue was created, in seconds since 1970."""
    shown = you.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["CreatedTimestamp"])
    return shown.keep("Attributes.CreatedTimestamp", name)


you.events.start_replay(
    ReplayName=Name("past"),
    EventSourceArn=archive,
    EventStartTime=created(kitchen_queue.url, "start"),
    EventEndTime=created(statistics_queue.url, "end"),
    Destination={"Arn": bus.arn, "FilterArns": [statistics_rule.arn]},
)
lab.wait(2, "the replay runs")
replay = you.events.describe_replay(ReplayName=Name("past"))
lab.until(replay, replay["State"], "COMPLETED", within_s=60)
past = statistics.sqs.receive_message(QueueUrl=statistics_queue.url, WaitTimeSeconds=5)
lab.check("The statistics get the order from before their rule", past.body, "flat white", "contains")
lab.check("It says that it is a replay", past.body, '"replay-name"', "contains")
again = kitchen.sqs.receive_message(QueueUrl=kitchen_queue.url)
lab.check("The kitchen does not get it again", again.count, 0)
