"""An idempotent consumer makes one coffee of two deliveries."""

from orderboard.lab import Experiment, Name

lab = Experiment(
    claim="A message is delivered again when its consumer ends between the work and the delete; a condition on the "
    "write of the work keeps the second delivery from doing it again.",
    source="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html",
    means="Make effect and record one write (a conditional put, a unique key in the database); a check followed by a "
    "write is two steps and fails when two consumers hold the message. Use an id of the order, not the receipt "
    "handle.",
)
cashier, barista = lab.actor("cashier"), lab.actor("barista")
orders = lab.queue("orders", VisibilityTimeout=2)

table, dynamodb = Name("coffees"), lab.you.client("dynamodb")
dynamodb.create_table(
    TableName=table,
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
lab.remove("dynamodb", "delete_table", TableName=table)
described = dynamodb.describe_table(TableName=table)
lab.until(described, described["Table.TableStatus"], "ACTIVE", within_s=60)

lab.step("A barista makes the coffee and ends before the delete. The order is delivered again.")
cashier.sqs.send_message(QueueUrl=orders.url, MessageBody="order-1")
made = {"UpdateExpression": "ADD made :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
coffees = barista.client("dynamodb")
with lab.each("delivery", ["first", "second"]):
    delivery = barista.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=5)
    lab.check("The order is delivered", delivery.body, "order-1")
    lab.step("Naive: one coffee more. Idempotent: one coffee more, unless this order has one.")
    coffees.update_item(TableName=table, Key={"id": {"S": "naive"}}, **made)
    once = coffees.update_item(
        TableName=table, Key={"id": {"S": "order-1"}}, ConditionExpression="attribute_not_exists(id)", **made
    )
    lab.wait(2, "the barista has ended, and the visibility timeout ends")

lab.check("The condition refuses the second coffee", once.error, "ConditionalCheckFailedException")
naive = dynamodb.get_item(TableName=table, Key={"id": {"S": "naive"}}, ConsistentRead=True)
lab.check("The naive way has made two coffees of one order", naive.keep("Item.made.N", "made_naively"), 2)
idempotent = dynamodb.get_item(TableName=table, Key={"id": {"S": "order-1"}}, ConsistentRead=True)
lab.check("The idempotent way has made one", idempotent.keep("Item.made.N", "made_once"), 1)
