"""An idempotency key makes a repeated request one order."""

from orderboard.lab import Experiment, Name

lab = Experiment(
    claim="A conditional put writes an item only if its key is not there yet: of two requests with one key, only the "
    "first is recorded.",
    source="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html",
    means="Let the client choose a key for each order and send it with every attempt, and record the key in the write "
    "that takes effect. That holds for as long as the item is kept, not for five minutes. order-api does so by its "
    "header Idempotency-Key.",
    needs=["faults"],
)
cashier, you = lab.actor("cashier"), lab.you
tables = you.client("dynamodb")
tables.create_table(
    TableName=Name("orders"),
    AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
    BillingMode="PAY_PER_REQUEST",
)
lab.remove("dynamodb", "delete_table", TableName=Name("orders"))
table = tables.describe_table(TableName=Name("orders"))
lab.until(table, table["Table.TableStatus"], "ACTIVE", within_s=60)
order = {
    "TableName": Name("orders"),
    "Item": {"key": {"S": "ada-1"}, "drink": {"S": "flat white"}},
    "ConditionExpression": "attribute_not_exists(#key)",
    "ExpressionAttributeNames": {"#key": "key"},
}

lab.faults("Every PutItem takes effect, and then fails", {"action": "PutItem", "kind": "error_after", "probability": 1})
lab.step("The cashier records an order with the key ada-1, and gets an error after it was stored.")
unsure = cashier.client("dynamodb").put_item(**order)
lab.check("The call failed, as far as the cashier knows", unsure.error, "", "is not")

lab.calm("faults", "The fault is over")
lab.step("The cashier tries again, with the same key.")
again = cashier.client("dynamodb").put_item(**order)
lab.check("The answer says that the order is recorded already", again.error, "ConditionalCheckFailedException")
stored = tables.scan(TableName=Name("orders"), ConsistentRead=True)
lab.check("There is one order", stored["Count"], 1)
