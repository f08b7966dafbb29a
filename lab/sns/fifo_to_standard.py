"""A standard queue may subscribe to a FIFO topic, without order."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="Standard queues can subscribe to FIFO topics; they deliver at least once and in no promised order, and the "
    "message group id does not reach them.",
    source="https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html",
    means='"FIFO topics only feed FIFO queues" was true until 2023. Let consumers that need no order, such as '
    "statistics, subscribe a standard queue: it is cheaper and has no limit of throughput.",
    needs=["disorder"],
)
cashier, bar, statistics = lab.actor("cashier"), lab.actor("bar"), lab.actor("statistics")
orders = lab.topic(fifo=True)
fifo, standard = lab.queue("bar", fifo=True), lab.queue("statistics")
lab.subscribe(orders, fifo, RawMessageDelivery=True)
lab.subscribe(orders, standard, RawMessageDelivery=True)
events = ["placed", "paid", "started", "ground", "brewed", "foamed", "made", "called", "served", "reviewed"]

lab.disorder("standard queues are as unordered as AWS allows", queue=standard, reordering=1.0, seed=7)
lab.step("The cashier publishes ten events of one order.")
with lab.each("event", events) as event:
    cashier.sns.publish(TopicArn=orders, Message=event, MessageGroupId="order-1", MessageDeduplicationId=event)

lab.check("The FIFO queue has their order", bar.receive_all(fifo.url, count=10), events)
first = statistics.sqs.receive_message(
    QueueUrl=standard.url, WaitTimeSeconds=5, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
)
lab.check("The standard queue has all of them", first.bodies, events, "in any order")
lab.check("It has them in another order", first.bodies, events, "is not")
lab.check("They have no message group there", first["Messages[0].Attributes.MessageGroupId"], "")
