"""An HTTP endpoint that is away: retries, then a loss or a dead letter."""

from orderboard.lab import SNS, Experiment, Json

lab = Experiment(
    claim="SNS retries an HTTP endpoint that fails by its delivery policy (by default three times, 20 seconds apart; "
    "an hour in all at most), and then discards the message unless the subscription has a dead-letter queue.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html",
    means='"A subscriber that is away loses the message" is true of HTTP endpoints after minutes. Attach a dead-letter '
    "queue, or subscribe a queue instead: SNS retries those for 23 days.",
    needs=["callback"],
)
cashier, shop, you = lab.actor("cashier"), lab.actor("web shop"), lab.you
orders = lab.topic()
failed = lab.queue("failed")
lab.allow(failed, SNS, orders)
endpoint = shop.serve(200, 503)
# Retries at once, so that nobody has to wait for them.
healthy = {"numRetries": 2, "numNoDelayRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}

lab.step("You subscribe an endpoint that answers its confirmation, and then 503 to everything.")
you.sns.subscribe(TopicArn=orders, Protocol="http", Endpoint=endpoint.url)
confirmed = shop.sns.confirm_subscription(TopicArn=orders, Token=endpoint.request("json.Token"))
subscription = confirmed["SubscriptionArn"]


def configure(name: str, document: dict[str, object]) -> None:
    """Set an attribute of the subscription."""
    you.sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=Json(document))


configure("DeliveryPolicy", {"healthyRetryPolicy": healthy})
lab.step("The cashier publishes an order while the subscription has no dead-letter queue.")
cashier.sns.publish(TopicArn=orders, Message="flat white")
tried = endpoint.requests("json.Type", count=4)
lab.check("SNS tries three times", tried, ["SubscriptionConfirmation", *["Notification"] * 3])

lab.step("The subscription gets a dead-letter queue, and the cashier publishes another order.")
configure("RedrivePolicy", {"deadLetterTargetArn": failed.arn})
cashier.sns.publish(TopicArn=orders, Message="espresso")
dead = you.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=5)
lab.check("The dead-letter queue has one message", dead.count, 1)
lab.check("It is the second order; the first one is lost", dead.body, "espresso", "contains")
