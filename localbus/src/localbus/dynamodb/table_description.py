"""A table as DescribeTable shows it.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
"""

from __future__ import annotations

from localbus.dynamodb.key_schema import Index
from localbus.dynamodb.table import Table
from localbus.protocol.service_model import Params

_ON_DEMAND = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}  # the warm throughput of a new table


def describe(table: Table, status: str | None = None) -> Params:
    """Return the TableDescription. An action that changes the table shows `status`."""
    settings, status = table.settings, status or table.status
    found: Params = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in sorted(table.types.items())
        ],
        "TableName": table.name,
        "KeySchema": table.keys.shown(),
        "TableStatus": status,
        "CreationDateTime": table.created,
        "ProvisionedThroughput": _throughput(settings.get("ProvisionedThroughput")),
        "TableSizeBytes": table.size_bytes,
        "ItemCount": table.item_count,
        "TableArn": table.arn,
        "TableId": table.table_id,
        "DeletionProtectionEnabled": settings.get("DeletionProtectionEnabled", False),
    }
    if "billing_summary" in settings:
        found["BillingModeSummary"] = settings["billing_summary"]
    for is_global, member in ((False, "LocalSecondaryIndexes"), (True, "GlobalSecondaryIndexes")):
        indexes = [_index(table, one) for one in table.indexes.values() if one.is_global == is_global]
        if indexes:
            found[member] = indexes
    if "OnDemandThroughput" in settings:
        found["OnDemandThroughput"] = settings["OnDemandThroughput"]
    if "TableClass" in settings:
        found["TableClassSummary"] = {"TableClass": settings["TableClass"]}
    if settings.get("SSESpecification", {}).get("Enabled"):
        found["SSEDescription"] = _encryption(table)
    if "restore_summary" in settings:
        found["RestoreSummary"] = settings["restore_summary"] | {"RestoreInProgress": table.status == "CREATING"}
    if status in {"ACTIVE", "UPDATING"} or "WarmThroughput" in settings:
        found["WarmThroughput"] = _warm(table) | {"Status": "ACTIVE" if status == "ACTIVE" else "UPDATING"}
    return found


def describe_deleted(table: Table) -> Params:
    """Return the TableDescription of DeleteTable, which leaves out most."""
    left_out = {"AttributeDefinitions", "KeySchema", "CreationDateTime", "SSEDescription", "WarmThroughput"}
    left_out |= {"LocalSecondaryIndexes", "GlobalSecondaryIndexes"}
    return {name: value for name, value in describe(table, "DELETING").items() if name not in left_out}


def _throughput(given: Params | None) -> Params:
    units = given or {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    return {"NumberOfDecreasesToday": 0, **units}


def _index(table: Table, index: Index) -> Params:
    found: Params = {
        "IndexName": index.name,
        "KeySchema": index.keys.shown(),
        "Projection": dict(index.projection),
        "IndexSizeBytes": index.size_bytes,
        "ItemCount": index.item_count,
        "IndexArn": f"{table.arn}/index/{index.name}",
    }
    found |= index.settings
    if index.is_global:
        found |= {"IndexStatus": "ACTIVE", "ProvisionedThroughput": _throughput(dict(index.throughput) or None)}
        if index.is_filling:
            found |= {"IndexStatus": "CREATING", "Backfilling": True}
    return found


def _encryption(table: Table) -> Params:
    given = table.settings["SSESpecification"].get("KMSMasterKeyId", "alias/aws/dynamodb")
    region, account = table.arn.split(":")[3:5]
    arn = given if given.startswith("arn:") else f"arn:aws:kms:{region}:{account}:{_key_path(given)}"
    return {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": arn}


def _key_path(key: str) -> str:
    return key if key.startswith("alias/") else f"key/{key}"


def _warm(table: Table) -> Params:
    if "WarmThroughput" in table.settings:
        return dict(table.settings["WarmThroughput"])
    units = table.settings.get("ProvisionedThroughput")
    if units is None:
        return dict(_ON_DEMAND)
    return {"ReadUnitsPerSecond": units["ReadCapacityUnits"], "WriteUnitsPerSecond": units["WriteCapacityUnits"]}
