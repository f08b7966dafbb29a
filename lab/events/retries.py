"""A target that fails for a while gets the event later."""

from orderboard.lab import Experiment, Name

lab = Experiment(
    claim="EventBridge retries a target that answers with an error that may pass, such as 503, with growing delays: by "
    "default for 24 hours and up to 185 times.",
    source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html",
    means="Only after a day is it true that a target which is away misses the event. Set a shorter RetryPolicy where a "
    "late event is worth nothing, and a dead-letter queue in any case.",
    needs=["callback"],
)
cashier, shop, you = lab.actor("cashier"), lab.actor("web shop"), lab.you
bus = lab.bus()
rule = lab.rule("orders", bus=bus, EventPattern={"source": ["shop"]})
endpoint = shop.serve(503, 200)
connection = you.events.create_connection(
    Name=Name("shop"),
    AuthorizationType="API_KEY",
    AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "x-shop-key", "ApiKeyValue": "demo"}},
)
lab.remove("events", "delete_connection", Name=Name("shop"))
destination = you.events.create_api_destination(
    Name=Name("shop"),
    ConnectionArn=connection["ConnectionArn"],
    InvocationEndpoint=endpoint.url,
    HttpMethod="POST",
)
lab.remove("events", "delete_api_destination", Name=Name("shop"))
role = "arn:aws:iam::000000000000:role/shop"  # only engines of this machine reach the endpoint; they ask for no role
lab.target_arn(rule, "shop", destination["ApiDestinationArn"], bus=bus, RoleArn=role)

lab.step("The cashier puts an order. The web shop answers 503.")
cashier.events.put_events(Entries=[bus.entry({"item": "flat white"})])
lab.check("The web shop got the order", endpoint.request("json.detail.item"), "flat white")

lab.wait(2, "EventBridge backs off")
lab.wait(2, "and tries again")
lab.check(
    "It got the order once more, and answered 200",
    endpoint.requests("json.detail.item", count=2),
    ["flat white", "flat white"],
)
