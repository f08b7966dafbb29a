"""A partial batch response without the setting deletes the failed messages."""

from orderboard.lab import Experiment

lab = Experiment(
    claim="If the mapping does not have ReportBatchItemFailures, Lambda ignores the function's batchItemFailures and "
    "deletes the whole batch.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
    means="The code and the mapping's FunctionResponseTypes belong together: code that reports failures to a mapping "
    "that does not ask for them loses those messages in silence, past the dead-letter queue. Test it on a deployed "
    "mapping.",
    needs=["functions"],
)
cashier, operator = lab.actor("cashier"), lab.actor("operator")
failed, policy = lab.dead_letters(after=1)
orders = lab.queue("orders", RedrivePolicy=policy)
barista = lab.function(
    "barista",
    """
def handler(event, context):
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
""",
)

lab.step("The function reports every message as failed. The mapping has no FunctionResponseTypes.")
lab.mapping(orders, barista)
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="unknown drink")
gone = lab.counts(orders, "0 waiting, 0 in flight, 0 delayed")
lab.check("The message is deleted", gone, "0 waiting, 0 in flight, 0 delayed")
dead = operator.sqs.receive_message(QueueUrl=failed.url, WaitTimeSeconds=0)
lab.check("It is not a dead letter either", dead.count, 0)
