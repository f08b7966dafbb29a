"""DynamoDB as a service: its actions and error codes."""

from __future__ import annotations

from functools import partial

from localbus.dynamodb import (
    backup_actions,
    batch_actions,
    item_actions,
    query_actions,
    restore_actions,
    setting_actions,
    statement_actions,
    statement_batch_actions,
    table_actions,
    transaction_actions,
)
from localbus.dynamodb.errors import not_built
from localbus.dynamodb.state import DynamoDb
from localbus.protocol.service import Action, Caller, Service
from localbus.protocol.service_model import Params

ACTIONS = {
    "BatchExecuteStatement": statement_batch_actions.batch_execute_statement,
    "BatchGetItem": batch_actions.batch_get_item,
    "BatchWriteItem": batch_actions.batch_write_item,
    "CreateBackup": backup_actions.create_backup,
    "CreateTable": table_actions.create_table,
    "DeleteBackup": backup_actions.delete_backup,
    "DeleteItem": item_actions.delete_item,
    "DeleteTable": backup_actions.delete_table,
    "DescribeBackup": backup_actions.describe_backup,
    "DescribeContinuousBackups": backup_actions.describe_continuous_backups,
    "DescribeEndpoints": setting_actions.describe_endpoints,
    "DescribeLimits": setting_actions.describe_limits,
    "DescribeTable": table_actions.describe_table,
    "DescribeTimeToLive": setting_actions.describe_time_to_live,
    "ExecuteStatement": statement_actions.execute_statement,
    "ExecuteTransaction": statement_batch_actions.execute_transaction,
    "GetItem": item_actions.get_item,
    "ListBackups": backup_actions.list_backups,
    "ListTables": table_actions.list_tables,
    "ListTagsOfResource": setting_actions.list_tags_of_resource,
    "PutItem": item_actions.put_item,
    "Query": query_actions.query,
    "RestoreTableFromBackup": restore_actions.restore_table_from_backup,
    "RestoreTableToPointInTime": restore_actions.restore_table_to_point_in_time,
    "Scan": query_actions.scan,
    "TagResource": setting_actions.tag_resource,
    "TransactGetItems": transaction_actions.transact_get_items,
    "TransactWriteItems": transaction_actions.transact_write_items,
    "UntagResource": setting_actions.untag_resource,
    "UpdateContinuousBackups": backup_actions.update_continuous_backups,
    "UpdateItem": item_actions.update_item,
    "UpdateTable": table_actions.update_table,
    "UpdateTimeToLive": setting_actions.update_time_to_live,
}


def service(dynamodb: DynamoDb) -> Service:
    """Return DynamoDB for the router."""
    missing: dict[str, Action] = {
        name: partial(_refuse, name) for name in dynamodb.api.operation_names if name not in ACTIONS
    }
    return Service(
        dynamodb.api,
        {name: partial(action, dynamodb) for name, action in ACTIONS.items()} | missing,
        "1.0",
        error_namespace="com.amazonaws.dynamodb.v20120810#",
        namespaces={"ValidationException": "com.amazon.coral.validate#"},
    )


def _refuse(name: str, _params: Params, _caller: Caller) -> Params:
    raise not_built(name)
