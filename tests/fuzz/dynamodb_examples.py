"""Valid requests to DynamoDB, in the form of `examples`."""

from __future__ import annotations

from typing import Any

TABLE = "orders"
SPARE = "spare"  # a table that may be changed
KEY = {"customer": {"S": "ada"}, "number": {"N": "1"}}
_ABSENT = {"customer": {"S": "eve"}, "number": {"N": "1"}}
ITEM = {
    **KEY, "price": {"N": "5"}, "state": {"S": "placed"}, "paid": {"BOOL": True}, "note": {"NULL": True},
    "raw": {"B": "eHg="}, "tags": {"SS": ["a", "b"]}, "sizes": {"NS": ["1", "2.5"]}, "blobs": {"BS": ["eHg="]},
    "parts": {"L": [{"M": {"sku": {"S": "tea"}, "count": {"N": "2"}}}, {"L": [{"S": "x"}]}]},
    "expires": {"N": "4000000000"},
}  # fmt: skip
_BY_STATE = {
    "IndexName": "by-state",
    "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "price", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["paid"]},
}
DEFINITION = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind}
        for name, kind in (("customer", "S"), ("number", "N"), ("state", "S"), ("price", "N"))
    ],
    "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [_BY_STATE],
    "LocalSecondaryIndexes": [{
        "IndexName": "by-price", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "price", "KeyType": "RANGE"}],
    }],
    "BillingMode": "PAY_PER_REQUEST", "Tags": [{"Key": "team", "Value": "bar"}],
}  # fmt: skip
_UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
_PROVISIONED = {
    "BillingMode": "PROVISIONED", "ProvisionedThroughput": _UNITS, "TableClass": "STANDARD",
    "GlobalSecondaryIndexes": [{**_BY_STATE, "ProvisionedThroughput": _UNITS}],
}  # fmt: skip

MEMBERS: dict[str, Any] = {
    "TableName": TABLE, "Key": KEY, "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE",
    "ResourceArn": "$table_arn", "BackupArn": "$backup", "BackupName": "nightly", "Tags": DEFINITION["Tags"],
    "TagKeys": ["team"], "TargetTableName": "restored",
}  # fmt: skip

_SET = {
    "Key": KEY, "UpdateExpression": "SET #p = price + :one, parts[0].m = if_not_exists(note, :one) ADD tags :tags",
    "ConditionExpression": "attribute_exists(customer) AND size(parts) < :many AND NOT contains(tags, :text)",
    "ExpressionAttributeNames": {"#p": "price"}, "ExpressionAttributeValues": {
        ":one": {"N": "1"}, ":many": {"N": "100"}, ":text": {"S": "zz"}, ":tags": {"SS": ["b", "c"]}},
}  # fmt: skip
_COMPARED = {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "0"}]}
_UPDATE = "UPDATE orders SET price = ? WHERE customer = 'ada' AND number = 1"

ACTIONS: dict[str, dict[str, Any]] = {
    "BatchExecuteStatement": {"Statements": [
        {"Statement": _UPDATE, "Parameters": [{"N": "5"}], "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
        {"Statement": "INSERT INTO orders VALUE {'customer': 'eve', 'number': ?}", "Parameters": [{"N": "7"}]}]},
    "BatchGetItem": {"RequestItems": {TABLE: {
        "Keys": [KEY, _ABSENT], "ProjectionExpression": "#p, parts[0].sku", "ExpressionAttributeNames": {"#p": "price"},
        "ConsistentRead": True}}},
    "BatchWriteItem": {"RequestItems": {TABLE: [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": _ABSENT}}]}},
    "CreateTable": {**DEFINITION, "TableName": "new", "DeletionProtectionEnabled": False},
    "DeleteItem": {
        "Key": _ABSENT, "ConditionExpression": "attribute_not_exists(customer) OR price IN (:a, :b)",
        "ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"N": "2"}}, "ReturnValues": "ALL_OLD"},
    "DeleteTable": {"TableName": SPARE},
    "ExecuteStatement": {
        "Statement": 'SELECT price, parts[0] FROM "orders" WHERE customer = ? AND price BETWEEN 0 AND ?',
        "Parameters": [{"S": "ada"}, {"N": "1000000"}], "Limit": 5, "ConsistentRead": True},
    "ExecuteTransaction": {"TransactStatements": [{"Statement": _UPDATE, "Parameters": [{"N": "5"}]}]},
    "GetItem": {"ProjectionExpression": "#p, parts[0].sku", "ExpressionAttributeNames": {"#p": "price"}},
    "ListBackups": {"Limit": 5, "BackupType": "USER", "TimeRangeLowerBound": 1_600_000_000},
    "ListTables": {"ExclusiveStartTableName": "alpha", "Limit": 5},
    "PutItem": {
        "Item": ITEM, "ConditionExpression": "attribute_not_exists(#m) OR begins_with(#m, :x)",
        "ExpressionAttributeNames": {"#m": "missing"}, "ExpressionAttributeValues": {":x": {"S": "x"}},
        "ReturnValues": "ALL_OLD", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
    "Query": {
        "KeyConditionExpression": "customer = :c AND #n BETWEEN :low AND :high", "FilterExpression": "price > :low",
        "ExpressionAttributeNames": {"#n": "number"}, "ProjectionExpression": "parts, paid",
        "ExpressionAttributeValues": {":c": {"S": "ada"}, ":low": {"N": "0"}, ":high": {"N": "9"}},
        "Limit": 5, "ExclusiveStartKey": {**KEY, "number": {"N": "8"}}, "ScanIndexForward": False,
        "Select": "SPECIFIC_ATTRIBUTES"},
    "RestoreTableToPointInTime": {"SourceTableName": TABLE, "UseLatestRestorableTime": True},
    "Scan": {
        "FilterExpression": "attribute_type(parts, :l)", "ExpressionAttributeValues": {":l": {"S": "L"}},
        "Segment": 0, "TotalSegments": 1, "Limit": 5, "ConsistentRead": True, "Select": "COUNT"},
    "TransactGetItems": {"TransactItems": [
        {"Get": {"TableName": TABLE, "Key": KEY, "ProjectionExpression": "#p", "ExpressionAttributeNames": {
            "#p": "price"}}},
        {"Get": {"TableName": TABLE, "Key": _ABSENT}}]},
    "TransactWriteItems": {"TransactItems": [
        {"Put": {"TableName": SPARE, "Item": ITEM}},
        {"Update": {"TableName": TABLE, **_SET}},
        {"Delete": {"TableName": TABLE, "Key": _ABSENT}},
        {"ConditionCheck": {
            "TableName": SPARE, "Key": _ABSENT, "ConditionExpression": "attribute_not_exists(customer)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}]},
    "UpdateContinuousBackups": {"TableName": SPARE, "PointInTimeRecoverySpecification": {
        "PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 5}},
    "UpdateItem": {**_SET, "ReturnValues": "UPDATED_NEW"},
    "UpdateTable": {
        "TableName": SPARE, "DeletionProtectionEnabled": True, "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "AttributeDefinitions": [{"AttributeName": "paid", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-paid", "KeySchema": [{"AttributeName": "paid", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"}}}]},
    "UpdateTimeToLive": {"TableName": SPARE, "TimeToLiveSpecification": {
        "Enabled": True, "AttributeName": "expires"}},
}  # fmt: skip
ALTERNATIVES: dict[str, list[dict[str, Any]]] = {
    "CreateTable": [_PROVISIONED],
    "DeleteItem": [{
        "ConditionExpression": None, "ExpressionAttributeValues": None, "ConditionalOperator": "AND",
        "Expected": {"customer": {"Exists": False}, "price": {"ComparisonOperator": "NULL"}}}],
    "ExecuteStatement": [
        {"Statement": "INSERT INTO spare VALUE {'customer': ?, 'number': ?, 'parts': [{'a': <<1, 2>>}, NULL]}",
         "Limit": None, "ConsistentRead": None},
        {"Statement": "DELETE FROM orders WHERE customer = 'eve' AND number = 1 RETURNING ALL OLD *",
         "Parameters": None, "Limit": None, "ConsistentRead": None}],
    "GetItem": [{"ProjectionExpression": None, "ExpressionAttributeNames": None, "AttributesToGet": ["price"]}],
    "Query": [
        {"KeyConditionExpression": None, "FilterExpression": None, "ExpressionAttributeNames": None,
         "ExpressionAttributeValues": None, "ProjectionExpression": None, "Select": None, "ExclusiveStartKey": None,
         "KeyConditions": {"customer": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "ada"}]},
                           "number": _COMPARED},
         "QueryFilter": {"price": _COMPARED, "paid": {"ComparisonOperator": "NOT_NULL"}}, "ConditionalOperator": "OR",
         "AttributesToGet": ["price"]},
        {"KeyConditionExpression": "#n = :s", "IndexName": "by-state", "FilterExpression": "paid = :t",
         "ExpressionAttributeNames": {"#n": "state"}, "ProjectionExpression": "paid",
         "ExpressionAttributeValues": {":s": {"S": "placed"}, ":t": {"BOOL": True}},
         "ExclusiveStartKey": {**KEY, "state": {"S": "placed"}, "price": {"N": "600000"}}}],
    "RestoreTableFromBackup": [{"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": _UNITS,
        "LocalSecondaryIndexOverride": DEFINITION["LocalSecondaryIndexes"],
        "GlobalSecondaryIndexOverride": _PROVISIONED["GlobalSecondaryIndexes"]}],
    "RestoreTableToPointInTime": [{
        "SourceTableName": None, "SourceTableArn": "$table_arn", "UseLatestRestorableTime": None,
        "RestoreDateTime": "$restorable"}],
    "Scan": [{"FilterExpression": None, "ExpressionAttributeValues": None, "IndexName": "by-price", "Select": None,
        "ScanFilter": {"price": _COMPARED, "parts": {"ComparisonOperator": "NOT_NULL"}}, "ConditionalOperator": "AND"}],
    "TransactWriteItems": [{"ClientRequestToken": "token", "TransactItems": [
        {"Put": {"TableName": TABLE, "Item": ITEM}}]}],
    "UpdateItem": [{
        "UpdateExpression": None, "ConditionExpression": None, "ExpressionAttributeNames": None,
        "ExpressionAttributeValues": None, "Expected": {
            "price": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "5"}]},
            "customer": {"Exists": True, "Value": {"S": "ada"}}},
        "AttributeUpdates": {
            "price": {"Action": "ADD", "Value": {"N": "0"}}, "tags": {"Action": "DELETE", "Value": {"SS": ["b"]}},
            "state": {"Action": "PUT", "Value": {"S": "placed"}}, "note": {"Action": "DELETE"}}}],
    "UpdateTable": [{
        "TableName": SPARE, "DeletionProtectionEnabled": None, "BillingMode": "PROVISIONED",
        "AttributeDefinitions": None, "ProvisionedThroughput": _UNITS, "GlobalSecondaryIndexUpdates": [{
            "Update": {"IndexName": "by-state", "ProvisionedThroughput": _UNITS}}]}],
}  # fmt: skip
