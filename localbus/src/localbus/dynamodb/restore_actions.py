"""Restores of tables, from a backup or to a time. Complete with the answer; on AWS a restore takes minutes to hours.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CreateBackup.html
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from localbus.dynamodb import table_definition as definition
from localbus.dynamodb.backup import RowCopy
from localbus.dynamodb.backup_actions import after_copy, backup_of, definition_of, seconds_of, table_of
from localbus.dynamodb.errors import invalid_parameter
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Rows
from localbus.dynamodb.table_actions import make_table
from localbus.dynamodb.table_description import describe
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_OVERRIDES = {
    "BillingModeOverride": "BillingMode",
    "ProvisionedThroughputOverride": "ProvisionedThroughput",
    "OnDemandThroughputOverride": "OnDemandThroughput",
    "SSESpecificationOverride": "SSESpecification",
}
_INDEX_OVERRIDES = {
    "LocalSecondaryIndexOverride": "LocalSecondaryIndexes",
    "GlobalSecondaryIndexOverride": "GlobalSecondaryIndexes",
}


@dataclass(frozen=True)
class _Source:
    """The items to restore, with the definition of their table, and their time: of the backup, or in the history."""

    definition: Params
    rows: Rows
    summary: Params
    time: float
    is_history: bool = False


def restore_table_from_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """RestoreTableFromBackup."""
    backup = backup_of(dynamodb, params, caller)
    summary = {"SourceBackupArn": backup.arn, "SourceTableArn": backup.source["TableArn"]}
    return _restored(dynamodb, params, caller, _Source(backup.definition, backup.rows, summary, backup.created))


def restore_table_to_point_in_time(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """RestoreTableToPointInTime."""
    name = params.get("SourceTableArn") or params.get("SourceTableName")
    if name is None:
        raise invalid_parameter("Either SourceTableArn or SourceTableName is required")
    table = table_of(dynamodb, name, caller)
    if table.recovery is None:
        text = f"Point in time recovery is not enabled for table '{table.name}'"
        raise AwsError("PointInTimeRecoveryUnavailableException", text)
    at = seconds_of(params.get("RestoreDateTime"))
    if bool(params.get("UseLatestRestorableTime")) == (at is not None):
        raise invalid_parameter("Exactly one of UseLatestRestorableTime and RestoreDateTime is required")
    at = table.recovery.latest if at is None else at
    if not table.recovery.earliest <= at <= table.recovery.latest:
        text = "The restore time is not between EarliestRestorableDateTime and LatestRestorableDateTime"
        raise AwsError("InvalidRestoreTimeException", text)
    source = _Source(definition_of(describe(table)), table.rows, {"SourceTableArn": table.arn}, at, is_history=True)
    return _restored(dynamodb, params, caller, source)


def _restored(dynamodb: DynamoDb, params: Params, caller: Caller, source: _Source) -> Params | Awaitable[Params]:
    """Make a table of copied items. Tags, time to live and recovery are not restored, as on AWS."""
    definition.refuse_missing(params)
    name, wanted = params["TargetTableName"], _overridden(source.definition, params)
    types = definition.check_table(wanted | {"TableName": name})
    _check_name(dynamodb, name, caller)
    table = make_table(dynamodb, name, wanted, types, caller)

    def finish(copied: RowCopy) -> Params:
        try:
            _check_name(dynamodb, name, caller)  # another may have been faster
        except AwsError:
            dynamodb.background.discard(table.rows)
            raise
        table.item_count, table.size_bytes = copied.item_count, copied.size_bytes
        summary = source.summary | {"RestoreDateTime": source.time, "RestoreInProgress": False}
        table.settings["restore_summary"] = summary
        dynamodb.add(table, caller)
        table.on_count()
        if table.indexes:
            dynamodb.fill(table, "CREATING")
        found = describe(table, "CREATING")
        return {"TableDescription": found | {"RestoreSummary": summary | {"RestoreInProgress": True}}}

    return after_copy(
        dynamodb.background.copy(source.rows, table.rows, source.time if source.is_history else None), finish
    )


def _check_name(dynamodb: DynamoDb, name: str, caller: Caller) -> None:
    if name in dynamodb.tables(caller):
        raise AwsError("TableAlreadyExistsException", f"Table already exists: {name}")


def _overridden(source: Params, params: Params) -> Params:
    """Return the definition with a request's overrides. Indexes may be left out, not added."""
    found = dict(source)
    for override, member in _OVERRIDES.items():
        if override in params:
            found[member] = params[override]
    if found["BillingMode"] == "PAY_PER_REQUEST":
        found.pop("ProvisionedThroughput", None)
    for override, member in _INDEX_OVERRIDES.items():
        given = params.get(override)
        indexes = {one["IndexName"]: one for one in found.pop(member, ())}
        if given is not None:
            unknown = [one["IndexName"] for one in given if one["IndexName"] not in indexes]
            if unknown:
                raise invalid_parameter(f"Unknown index: {unknown[0]}")
            indexes = {one["IndexName"]: one for one in given}
        if found["BillingMode"] == "PAY_PER_REQUEST":
            indexes = {name: _without_units(one) for name, one in indexes.items()}
        if indexes:
            found[member] = list(indexes.values())
    used = {key["AttributeName"] for key in found["KeySchema"]}
    for member in _INDEX_OVERRIDES.values():
        for index in found.get(member, ()):
            used |= {key["AttributeName"] for key in index["KeySchema"]}
    found["AttributeDefinitions"] = [one for one in found["AttributeDefinitions"] if one["AttributeName"] in used]
    return found


def _without_units(index: Params) -> Params:
    return {name: value for name, value in index.items() if name != "ProvisionedThroughput"}
