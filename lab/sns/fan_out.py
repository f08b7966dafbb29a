"""One publish, a copy for each subscriber."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A message published to a topic is delivered to every subscription of the topic.",
    source="https://docs.aws.amazon.com/sns/latest/api/API_Publish.html",
    means="A new consumer is a new queue with a subscription: the publisher does not change, and no consumer takes a "
    "message from another.",
)
cashier, kitchen, till = lab.actor("cashier"), lab.actor("kitchen"), lab.actor("till")
orders = lab.topic()
kitchen_queue, till_queue = lab.queue("kitchen"), lab.queue("till")
lab.subscribe(orders, kitchen_queue, RawMessageDelivery=True)
lab.subscribe(orders, till_queue, RawMessageDelivery=True)

lab.step("The cashier publishes one order; the kitchen receives and deletes its copy.")
cashier.sns.publish(TopicArn=orders, Message="flat white")
lab.check("The kitchen gets the order", kitchen.receive_all(kitchen_queue.url, count=1), ["flat white"])

lab.step("The till comes later.")
lab.check("The till gets its own copy", till.receive_all(till_queue.url, count=1), ["flat white"])
