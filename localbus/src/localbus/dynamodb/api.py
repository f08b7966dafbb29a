"""DynamoDB as a service: its actions and error codes."""

from __future__ import annotations

from functools import partial

from localbus.dynamodb import item_actions, setting_actions, table_actions
from localbus.dynamodb.state import DynamoDb
from localbus.protocol.service import Service

ACTIONS = {
    "CreateTable": table_actions.create_table,
    "DeleteItem": item_actions.delete_item,
    "DeleteTable": table_actions.delete_table,
    "DescribeEndpoints": setting_actions.describe_endpoints,
    "DescribeLimits": setting_actions.describe_limits,
    "DescribeTable": table_actions.describe_table,
    "DescribeTimeToLive": setting_actions.describe_time_to_live,
    "GetItem": item_actions.get_item,
    "ListTables": table_actions.list_tables,
    "ListTagsOfResource": setting_actions.list_tags_of_resource,
    "PutItem": item_actions.put_item,
    "TagResource": setting_actions.tag_resource,
    "UntagResource": setting_actions.untag_resource,
    "UpdateTable": table_actions.update_table,
    "UpdateTimeToLive": setting_actions.update_time_to_live,
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
