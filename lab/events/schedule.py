"""A rule with a schedule sends an event by the clock."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A rule with rate(1 minute) invokes its target a minute after it was made and every minute from then on; one "
    "minute is the shortest rate, and such rules are on the default bus.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
    means="Expect a run within the minute, not at its first second, and now and then one more: make the work harmless "
    "to repeat. EventBridge Scheduler is AWS's newer service for this.",
)
barista = lab.actor("barista")
rule = lab.rule("every-minute", ScheduleExpression="rate(1 minute)")
queue = lab.queue("tasks")
lab.target(rule, queue, Input='{"task":"wipe the tables"}')

lab.step("The rule is made.")
early = barista.sqs.receive_message(QueueUrl=queue.url)
lab.check("Nothing comes at once", early.count, 0)

lab.wait(61, "a minute ends")
first = barista.receive_all(queue.url, count=1, idle_s=20)
lab.check("The task comes after a minute", first, ['{"task":"wipe the tables"}'])
lab.wait(60, "another minute ends")
second = barista.receive_all(queue.url, count=1, idle_s=20)
lab.check("It comes again", second, ['{"task":"wipe the tables"}'])
