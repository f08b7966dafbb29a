"""An HTTP endpoint that is away: retries, then a loss."""

from orderboard.lab import SNS, Experiment, Json

lab = Experiment(
    claim="SNS retries an HTTP endpoint that fails by its delivery policy (by default three times, 20 seconds apart; "
    "an hour in all at most), and then discards the message unless the subscription has a dead-letter queue.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html",
    means="Only of HTTP endpoints, and after minutes, is it true that a subscriber which is away loses the message. "
    "Attach a dead-letter queue, or subscribe a queue instead: SNS retries those for 23 days.",
    needs=["callback"],
)
cashier, you = lab.actor("cashier"), lab.you
careless, careful = lab.actor("careless shop"), lab.actor("careful shop")
orders = lab.topic()
failed = lab.queue("failed")
lab.allow(failed, SNS, orders)
# Two retries at once, so that nobody has to wait for them.
healthy = {"numRetries": 2, "numNoDelayRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}
at_once = {"DeliveryPolicy": Json({"healthyRetryPolicy": healthy})}
with_dead_letters = {**at_once, "RedrivePolicy": Json({"deadLetterTargetArn": failed.arn})}

lab.step("Two shops subscribe, one with a dead-letter queue. They answer the confirmation, and 503 to all the rest.")
endpoints = []
for shop, attributes in ((careless, at_once), (careful, with_dead_letters)):
    endpoint = shop.serve(200, 503)
    shop.sns.subscribe(TopicArn=orders, Protocol="http", Endpoint=endpoint.url, Attributes=attributes)
    shop.sns.confirm_subscription(TopicArn=orders, Token=endpoint.request("json.Token"))
    endpoints.append(endpoint)

lab.step("The cashier publishes an order.")
cashier.sns.publish(TopicArn=orders, Message="flat white")
for endpoint in endpoints:
    tried = endpoint.requests("json.Type", count=4)
    lab.check("SNS tries three times", tried, ["SubscriptionConfirmation", *["Notification"] * 3])

dead = you.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=5)
lab.check("The dead-letter queue has the order", dead.body, "flat white", "contains")
left = you.sqs.receive_message(QueueUrl=failed.url)
lab.check("It has it once: the careless shop's copy is lost", left.count, 0)
