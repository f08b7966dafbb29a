"""An HTTP endpoint confirms first; then each message has a signature."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="SNS first posts a SubscriptionConfirmation with a token to an HTTP endpoint; only once it is confirmed do "
    "messages arrive, each with a signature, the address of its certificate, and its type in the header "
    "x-amz-sns-message-type.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html",
    means="The endpoint must answer the confirmation, and verify the signature of everything, which this experiment "
    "does not: anyone can post to an address on the internet.",
    needs=["callback"],
)
cashier, shop = lab.actor("cashier"), lab.actor("web shop")
orders = lab.topic()
endpoint = shop.serve(200)

lab.step("You subscribe an HTTP endpoint.")
pending = lab.you.sns.subscribe(TopicArn=orders, Protocol="http", Endpoint=endpoint.url)
lab.check("It waits for its confirmation", pending["SubscriptionArn"], "pending confirmation")
token = endpoint.request("json.Token")

lab.step("The cashier publishes too early; then the web shop confirms, and the cashier publishes again.")
cashier.sns.publish(TopicArn=orders, Message="flat white")
shop.sns.confirm_subscription(TopicArn=orders, Token=token)
cashier.sns.publish(TopicArn=orders, Message="espresso")

kinds = endpoint.requests('headers."x-amz-sns-message-type"', count=2)
lab.check("It gets the confirmation and one message", kinds, ["SubscriptionConfirmation", "Notification"])
lab.check("The message is the second order", endpoint.request("json.Message", number=2), "espresso")
lab.check("It carries a signature", endpoint.request("json.Signature", number=2), "", "is not")
lab.check("Its version is known", endpoint.request("json.SignatureVersion", number=2), ["1", "2"], "is one of")
lab.check("It names the certificate", endpoint.request("json.SigningCertURL", number=2), "http", "contains")
