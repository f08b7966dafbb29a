"""Events for a target that is gone are dead letters at once."""

from orderboard.lab import EVENTS, Experiment, Joined

lab = Experiment(
    claim="An error that no retry can fix, such as a target that no longer exists, is not retried: the event goes to "
    "the target's dead-letter queue with the error as message attributes, or is dropped if there is none.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
    means="Give each target a dead-letter queue, with a policy that lets the rule send. Its attributes say which rule "
    "and target failed, and why.",
)
cashier, you = lab.actor("cashier"), lab.you
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
failed = lab.queue("failed")
lab.allow(failed, EVENTS, rule.arn)
gone = Joined((failed.arn, "-that-is-gone"))
lab.target_arn(rule, "gone", gone, bus=bus, DeadLetterConfig={"Arn": failed.arn})

lab.step("The rule's target is a queue that does not exist. The cashier puts an order.")
put = cashier.events.put_events(Entries=[bus.entry({"item": "flat white"})])
lab.check("EventBridge accepts it", put["FailedEntryCount"], 0)
dead = you.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=20, MessageAttributeNames=["All"])
lab.check("The order is in the dead-letter queue", dead.body, "flat white", "contains")
lab.check("Its attributes have the reason", dead["Messages[0].MessageAttributes.ERROR_CODE.StringValue"], "", "is not")
lab.check("They have the rule", dead["Messages[0].MessageAttributes.RULE_ARN.StringValue"], "-orders", "contains")
