"""A filter policy reads the body, where its scope says so."""

from orderboard.lab import Experiment, Json

lab = Experiment(
    claim="With FilterPolicyScope MessageBody a filter policy compares the properties of a JSON body, also nested "
    "ones; a body that is not JSON does not match.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html",
    means="Filter by the body where you do not control the publisher's attributes. Each subscription has one scope: it "
    "reads attributes or the body, never both.",
)
cashier, bar = lab.actor("cashier"), lab.actor("bar")
orders = lab.topic()
queue = lab.queue("bar")
policy = {"order": {"total": [{"numeric": [">=", 20]}]}}
lab.subscribe(orders, queue, RawMessageDelivery=True, FilterPolicyScope="MessageBody", FilterPolicy=policy)

lab.step("The cashier publishes a small order, a text that is not JSON, and a large order.")
cashier.sns.publish(TopicArn=orders, Message=Json({"order": {"item": "espresso", "total": 3}}))
cashier.sns.publish(TopicArn=orders, Message="total: 50")
cashier.sns.publish(TopicArn=orders, Message=Json({"order": {"item": "cake", "total": 42}}))
got = bar.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=5, MaxNumberOfMessages=10)
lab.check("The bar gets one message", got.count, 1)
lab.check("It is the large order", got.body, "cake", "contains")
