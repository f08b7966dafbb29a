"""The loyalty desk: keeps the customers' cards and the state of every order, however often and late an event comes."""

import json
from contextlib import suppress


def handle(message, sqs, queue_url, table):
    """Stamp the card if this order has not stamped it yet, record a newer state, and only then delete the message."""
    event = json.loads(message["Body"])
    if event["type"] == "paid":
        stamp_once(event, table)
    record(event, table)
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def stamp_once(event, table):
    """Write the stamp and the note that this order has it together: both happen, or neither."""
    client = table.meta.client
    note = {
        "TableName": table.name,
        "Item": {"id": f"stamped {event['order_id']}"},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    stamp = {
        "TableName": table.name,
        "Key": {"id": event["customer"]},
        "UpdateExpression": "ADD stamps :one",
        "ExpressionAttributeValues": {":one": 1},
    }
    try:
        client.transact_write_items(TransactItems=[{"Put": note}, {"Update": stamp}])
    except client.exceptions.TransactionCanceledException as exc:
        if exc.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise


def record(event, table):
    """Write the state unless a newer one is there: an event that comes late changes nothing."""
    with suppress(table.meta.client.exceptions.ConditionalCheckFailedException):
        table.update_item(
            Key={"id": event["order_id"]},
            UpdateExpression="SET version = :version, #state = :state",
            ConditionExpression="attribute_not_exists(version) OR version < :version",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":version": event["version"], ":state": event["type"]},
        )
