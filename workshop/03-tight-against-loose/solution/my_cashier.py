"""The cashier. `take` posts an order on the board, and leaves the rest to the barista."""

import json
import os

import boto3

SQS = boto3.client("sqs")


def take(order: dict[str, str]) -> None:
    """Take an order: return once SQS has it."""
    SQS.send_message(QueueUrl=os.environ["BOARD_QUEUE_URL"], MessageBody=json.dumps(order))
