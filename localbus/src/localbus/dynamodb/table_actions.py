"""CreateTable, UpdateTable, DescribeTable, DeleteTable and ListTables.

A change is immediate: an answer shows CREATING, UPDATING or DELETING as on AWS, and the next one ACTIVE. The index of a
table with many items is filled in the background; the status shows it.
"""

from __future__ import annotations

from localbus.dynamodb import table_definition as definition
from localbus.dynamodb.errors import invalid, invalid_parameter, unknown_table
from localbus.dynamodb.key_schema import Index
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.table import Table
from localbus.dynamodb.table_description import describe, describe_deleted
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_PAGE_LENGTH = 100


def named(dynamodb: DynamoDb, params: Params, caller: Caller) -> Table:
    """Return the table of a table action. Raises AwsError."""
    try:
        return dynamodb.table(params["TableName"], caller)
    except AwsError as exc:
        raise unknown_table(params["TableName"]) from exc


def create_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """CreateTable."""
    types = definition.check_table(params)
    tags = definition.read_tags(params.get("Tags", []), {})
    if params["TableName"] in dynamodb.tables(caller):
        raise definition.table_exists(params["TableName"])
    table = make_table(dynamodb, params["TableName"], params, types, caller)
    table.tags = tags
    dynamodb.add(table, caller)
    return {"TableDescription": describe(table, "CREATING")}


def make_table(dynamodb: DynamoDb, name: str, params: Params, types: dict[str, str], caller: Caller) -> Table:
    """Return a new table by a checked definition, which has CreateTable's members. It is not added yet."""
    arn = f"arn:aws:dynamodb:{caller.region}:{caller.account}:table/{name}"
    keys, now = definition.key_schema(params["KeySchema"], types), dynamodb.clock.now()
    settings = {member: params[member] for member in definition.SETTINGS if member in params}
    if params.get("BillingMode") == "PAY_PER_REQUEST":
        settings["billing_summary"] = {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": now}
    table = Table(name, arn, new_id(), now, keys, types, dynamodb.store.create(), settings)
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for one in params.get(member, []):
            _add_index(table, one, is_global=member.startswith("Global"))
    return table


def _add_index(table: Table, given: Params, *, is_global: bool) -> None:
    keys, number = definition.key_schema(given["KeySchema"], table.types), table.rows.add_index()
    units = given.get("ProvisionedThroughput", {})
    index = Index(given["IndexName"], keys, number, given["Projection"], is_global, units, table_keys=table.keys.names)
    index.settings = _index_settings(given)
    table.indexes[index.name] = index


def _index_settings(given: Params) -> Params:
    return {member: given[member] for member in definition.INDEX_SETTINGS if member in given}


def describe_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeTable."""
    return {"Table": describe(named(dynamodb, params, caller))}


def deletable(dynamodb: DynamoDb, params: Params, caller: Caller) -> tuple[Table, Params]:
    """Return the table that a DeleteTable names, and its answer. Raises AwsError if it cannot be deleted."""
    table = named(dynamodb, params, caller)
    _check_not_filling(table)
    if table.settings.get("DeletionProtectionEnabled"):
        text = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion"
        raise invalid(f"{text} protection first.")
    return table, {"TableDescription": describe_deleted(table)}


def _check_not_filling(table: Table) -> None:
    if table.status != "ACTIVE":
        verb = {"UPDATING": "updated", "CREATING": "created"}[table.status]
        text = f"Attempt to change a resource which is still in use: Table is being {verb}: {table.name}"
        raise AwsError("ResourceInUseException", text)


def list_tables(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ListTables."""
    start, limit = params.get("ExclusiveStartTableName", ""), params.get("Limit", _PAGE_LENGTH)
    names = sorted(name for name in dynamodb.tables(caller) if name > start)
    page = names[:limit]
    return {"TableNames": page} | ({"LastEvaluatedTableName": page[-1]} if len(names) > limit else {})


def update_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """UpdateTable: billing, throughput, table class, protection, encryption, and one global index."""
    table = named(dynamodb, params, caller)
    _check_not_filling(table)
    definition.refuse_missing(params)
    updates = params.get("GlobalSecondaryIndexUpdates", [])
    given = {member: params[member] for member in definition.SETTINGS if member in params}
    if not given and not updates and "StreamSpecification" not in params:
        text = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or"
        raise invalid(f"{text} SSESpecification or ReplicaUpdates is required")
    mode = params.get("BillingMode") or table.settings.get("BillingMode", "PROVISIONED")
    _check_throughput(table, params, mode)
    types = dict(table.types) | definition.types_of(params.get("AttributeDefinitions", []))
    _check_index_updates(table, updates, mode, types)
    with dynamodb.store.transaction():
        for update in updates:
            _update_index(table, update, types)
    if any("Create" in update for update in updates):
        dynamodb.fill(table, "UPDATING")
    _set_billing(table, given, mode, dynamodb.clock.now())
    dynamodb.save(table)
    return {"TableDescription": describe(table, "UPDATING")}


def _check_throughput(table: Table, params: Params, mode: str) -> None:
    throughput, before = params.get("ProvisionedThroughput"), table.settings.get("ProvisionedThroughput")
    if mode == "PAY_PER_REQUEST":
        if throughput is not None:
            definition.check_billing({"BillingMode": mode, "ProvisionedThroughput": throughput})
        return
    if throughput is None:
        if params.get("BillingMode") == "PROVISIONED" and before is None:
            raise invalid_parameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
        return
    definition.check_throughput(throughput)
    if throughput == before:
        text = "The provisioned throughput for the table will not change. The requested value equals the current value."
        for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
            text += f" Current {member} provisioned for the table: {before[member]}."
            text += f" Requested {member}: {throughput[member]}."
        text += " Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        raise invalid(text)


def _check_index_updates(table: Table, updates: list[Params], mode: str, types: dict[str, str]) -> None:
    names: set[str] = set()
    for update in updates:
        if len(update) != 1:
            text = "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create,"
            raise invalid_parameter(f"{text} GlobalSecondaryIndexUpdate.Delete must not be null")
        ((verb, given),) = update.items()
        name = given["IndexName"]
        if name in names:
            text = f"Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            raise invalid_parameter(text)
        names.add(name)
        found = table.indexes.get(name)
        if verb == "Create":
            if found is not None:
                raise invalid(f"Attempting to create an index which already exists: {name}")
            definition.check_global_index(given, mode, types)
        elif found is None or not found.is_global:
            raise AwsError("ResourceNotFoundException", f"Requested resource not found: Index: {name} not found")
    if sum("Update" not in update for update in updates) > 1:
        text = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        raise AwsError("LimitExceededException", text)


def _update_index(table: Table, update: Params, types: dict[str, str]) -> None:
    ((verb, given),) = update.items()
    match verb:
        case "Create":
            table.types = types
            _add_index(table, given, is_global=True)
            table.indexes[given["IndexName"]].is_filling = True
        case "Delete":
            table.rows.remove_index(table.indexes.pop(given["IndexName"]).number)
            used = {name for keys in (table.keys, *(one.keys for one in table.indexes.values())) for name in keys.names}
            table.types = {name: kind for name, kind in table.types.items() if name in used}
        case _:
            index = table.indexes[given["IndexName"]]
            index.throughput = given.get("ProvisionedThroughput", index.throughput)
            index.settings |= _index_settings(given)


def _set_billing(table: Table, given: Params, mode: str, now: float) -> None:
    before = table.settings.get("BillingMode", "PROVISIONED")
    table.settings |= given
    if mode == before:
        return
    table.settings["billing_summary"] = {"BillingMode": mode, "LastUpdateToPayPerRequestDateTime": now}
    if mode == "PAY_PER_REQUEST":
        table.settings.pop("ProvisionedThroughput", None)
        for index in table.indexes.values():
            index.throughput = {}
