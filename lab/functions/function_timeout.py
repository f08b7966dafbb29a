"""A queue must hide messages for as long as the function may run."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="A mapping is rejected if the queue's visibility timeout is shorter than the function's timeout.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
    means="Six times the function's timeout is what AWS recommends, for batches that are throttled and retried. "
    "Emulators accept less, and the deployment to AWS fails.",
    needs=["functions"],
)
orders = lab.queue("orders", VisibilityTimeout=10)
barista = lab.function("barista", "def handler(event, context):\n    pass\n", Timeout=11)

short = lab.you.functions.create_event_source_mapping(EventSourceArn=orders.arn, FunctionName=barista.name)
lab.check("10 s are too few for a function that may run for 11 s", short.error, "InvalidParameterValueException")
