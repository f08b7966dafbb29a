"""A FIFO topic with an archive replays the past."""

from orderboard.lab import SNS, Experiment

lab = Experiment(
    claim="A FIFO topic with an ArchivePolicy keeps its messages for up to 365 days, and a subscription with a "
    "ReplayPolicy gets them again, in order.",
    source="https://docs.aws.amazon.com/sns/latest/dg/fifo-message-archiving-replay.html",
    means='"SNS keeps nothing" is true of standard topics only. Archive a FIFO topic whose past a new or repaired '
    "consumer may need, and write the consumer so that a replayed message does no harm.",
)
cashier, statistics, you = lab.actor("cashier"), lab.actor("statistics"), lab.you
orders = lab.topic(fifo=True, ArchivePolicy={"MessageRetentionPeriod": "30"})
lab.remove("sns", "set_topic_attributes", TopicArn=orders, AttributeName="ArchivePolicy", AttributeValue="{}")

lab.step("The cashier publishes two orders. Nobody has subscribed.")
with lab.each("drink", ["mocha", "espresso"]) as drink:
    cashier.sns.publish(TopicArn=orders, Message=drink, MessageGroupId="bar", MessageDeduplicationId=drink)

lab.step("You create a queue, which the topic may send to.")
queue = lab.queue("statistics", fifo=True)
lab.allow(queue, SNS, orders)

lab.step("It subscribes, and asks for everything since the archive began.")
attributes = you.sns.get_topic_attributes(TopicArn=orders)
beginning = attributes["Attributes.BeginningArchiveTime"]
lab.subscribe(
    orders,
    queue,
    allowed=False,
    RawMessageDelivery=True,
    ReplayPolicy={"PointType": "Timestamp", "StartingPoint": beginning},
)
lab.check(
    "The new queue gets the orders from before its subscription, in order",
    statistics.receive_all(queue.url, count=2, idle_s=10),
    ["mocha", "espresso"],
)
