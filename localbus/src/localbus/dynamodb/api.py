"""DynamoDB as a service: its actions and error codes."""

from __future__ import annotations

from functools import partial

from localbus.dynamodb import item_actions, table_actions
from localbus.dynamodb.state import DynamoDb
from localbus.protocol.service import Service

ACTIONS = {
    "CreateTable": table_actions.create_table,
    "DeleteItem": item_actions.delete_item,
    "DeleteTable": table_actions.delete_table,
    "DescribeTable": table_actions.describe_table,
    "GetItem": item_actions.get_item,
    "ListTables": table_actions.list_tables,
    "PutItem": item_actions.put_item,
}


def service(dynamodb: DynamoDb) -> Service:
    """Return DynamoDB for the router."""
    return Service(
        dynamodb.api,
        {name: partial(action, dynamodb) for name, action in ACTIONS.items()},
        "1.0",
        error_namespace="com.amazonaws.dynamodb.v20120810#",
        namespaces={"ValidationException": "com.amazon.coral.validate#"},
    )
