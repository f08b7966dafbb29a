"""The loyalty desk: keeps the customers' cards and the state of every order. As it is, it trusts the queue too much."""

import json


def handle(message, sqs, queue_url, table):
    """Handle one message, and delete it.

    message: as ReceiveMessage returned it. sqs: boto3's client. table: boto3's Table, with the key `id`.
    The next call, for the same event too, may be in another process. After an exception the message is given back to
    the queue; an exception is right if the work cannot be done now.
    """
    event = json.loads(message["Body"])

    if event["type"] == "paid":
        table.update_item(
            Key={"id": event["customer"]},
            UpdateExpression="ADD stamps :one",
            ExpressionAttributeValues={":one": 1},
        )

    table.put_item(Item={"id": event["order_id"], "version": event["version"], "state": event["type"]})

    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
