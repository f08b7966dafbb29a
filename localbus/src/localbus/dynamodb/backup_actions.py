"""Backups and restores, by backup or by time. Both are complete with their answer.

With many items the answer takes a while, in which other requests are answered.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/BackupRestore.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from localbus.dynamodb import table_definition as definition
from localbus.dynamodb.backup import Backup, RowCopy
from localbus.dynamodb.errors import invalid_parameter
from localbus.dynamodb.setting_actions import time_to_live_of
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Rows
from localbus.dynamodb.table import Table
from localbus.dynamodb.table_actions import make_table
from localbus.dynamodb.table_description import describe
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_PAGE_LENGTH = 100
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
_DAYS = 35


def create_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """CreateBackup."""
    table = _table(dynamodb, params["TableName"], caller)
    now, rows = dynamodb.clock.now(), dynamodb.store.create()
    arn = f"{table.arn}/backup/{int(now * 1000):014}-{new_id()[:8]}"
    found = describe(table)
    backup = Backup(arn, params["BackupName"], now, found, _definition(found), time_to_live_of(table), rows)

    def finish(_copied: RowCopy) -> Params:
        dynamodb.add_backup(backup)
        return {"BackupDetails": backup.details("CREATING")}

    return _after(dynamodb.background.copy(table.rows, rows), finish)


def _after(copying: RowCopy | Awaitable[RowCopy], finish: Callable[[RowCopy], Params]) -> Params | Awaitable[Params]:
    """Return what `finish` makes of a copy, at once if it is complete."""
    if isinstance(copying, RowCopy):
        return finish(copying)
    waiting = copying

    async def wait() -> Params:
        return finish(await waiting)

    return wait()


def _definition(table: Params) -> Params:
    """Return CreateTable's input for a table like this."""
    found = {name: table[name] for name in ("AttributeDefinitions", "KeySchema")}
    found["BillingMode"] = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    with_units = found["BillingMode"] == "PROVISIONED"
    if with_units:
        found["ProvisionedThroughput"] = _units(table)
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        for index in table.get(member, ()):
            one = {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
            units = {"ProvisionedThroughput": _units(index)} if with_units and member.startswith("Global") else {}
            found.setdefault(member, []).append(one | units)
    return found


def _units(described: Params) -> Params:
    throughput = described["ProvisionedThroughput"]
    return {name: throughput[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}


def _table(dynamodb: DynamoDb, name: str, caller: Caller) -> Table:
    try:
        return dynamodb.table(name, caller)
    except AwsError as exc:
        raise AwsError("TableNotFoundException", f"Table not found: {name}") from exc


def _backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Backup:
    arn = params["BackupArn"]
    found = dynamodb.backups.get(arn)
    if found is None or not arn.startswith(_own(caller)):
        raise AwsError("BackupNotFoundException", f"Backup not found: {arn}")
    return found


def _own(caller: Caller) -> str:
    return f"arn:aws:dynamodb:{caller.region}:{caller.account}:table/"


def describe_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeBackup."""
    return {"BackupDescription": _backup(dynamodb, params, caller).described()}


def delete_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DeleteBackup."""
    backup = _backup(dynamodb, params, caller)
    dynamodb.remove_backup(backup)
    return {"BackupDescription": backup.described("DELETED")}


def list_backups(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ListBackups."""
    name, kind = params.get("TableName", ""), params.get("BackupType", "USER")
    low, high = _time(params.get("TimeRangeLowerBound")), _time(params.get("TimeRangeUpperBound"))
    found = [
        backup
        for arn, backup in sorted(dynamodb.backups.items())
        if arn.startswith(_own(caller))
        and arn > params.get("ExclusiveStartBackupArn", "")
        and name.rpartition("/")[2] in {"", backup.source["TableName"]}
        and kind in {"USER", "ALL"}
        and (low is None or backup.created >= low)
        and (high is None or backup.created < high)
    ]
    page = found[: params.get("Limit", _PAGE_LENGTH)]
    last = {"LastEvaluatedBackupArn": page[-1].arn} if len(page) < len(found) else {}
    return {"BackupSummaries": [backup.summary() for backup in page]} | last


def _time(given: datetime | None) -> float | None:
    return None if given is None else given.timestamp()


# Continuous backups


def describe_continuous_backups(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeContinuousBackups."""
    return _continuous(_table(dynamodb, params["TableName"], caller))


def update_continuous_backups(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """UpdateContinuousBackups."""
    table, wanted = _table(dynamodb, params["TableName"], caller), params["PointInTimeRecoverySpecification"]
    enabled, days = wanted["PointInTimeRecoveryEnabled"], wanted.get("RecoveryPeriodInDays", _DAYS)
    dynamodb.set_recovery(table, days if enabled else None)
    return _continuous(table)


def _continuous(table: Table) -> Params:
    found: Params = {"PointInTimeRecoveryStatus": "DISABLED"}
    if table.recovery is not None:
        found = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": table.recovery.days,
            "EarliestRestorableDateTime": table.recovery.earliest,
            "LatestRestorableDateTime": table.recovery.now(),
        }
    description = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": found}
    return {"ContinuousBackupsDescription": description}


# Restores


@dataclass(frozen=True)
class _Source:
    """The items to restore, with the definition of their table; `at` is a time in the table's history."""

    definition: Params
    rows: Rows
    summary: Params
    at: float | None = None


def restore_table_from_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """RestoreTableFromBackup."""
    backup = _backup(dynamodb, params, caller)
    summary = {"SourceBackupArn": backup.arn, "SourceTableArn": backup.source["TableArn"]}
    return _restored(dynamodb, params, caller, _Source(backup.definition, backup.rows, summary))


def restore_table_to_point_in_time(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """RestoreTableToPointInTime."""
    name = params.get("SourceTableArn") or params.get("SourceTableName")
    if name is None:
        raise invalid_parameter("Either SourceTableArn or SourceTableName is required")
    table = _table(dynamodb, name, caller)
    if table.recovery is None:
        text = f"Point in time recovery is not enabled for table '{table.name}'"
        raise AwsError("PointInTimeRecoveryUnavailableException", text)
    at = _time(params.get("RestoreDateTime"))
    if params.get("UseLatestRestorableTime") == (at is not None):
        text = "Exactly one of UseLatestRestorableTime and RestoreDateTime is required"
        raise invalid_parameter(f"{text}")
    if at is not None and not table.recovery.earliest <= at <= table.recovery.now():
        text = "The restore time is not between EarliestRestorableDateTime and LatestRestorableDateTime"
        raise AwsError("InvalidRestoreTimeException", text)
    source = _Source(_definition(describe(table)), table.rows, {"SourceTableArn": table.arn}, at)
    return _restored(dynamodb, params, caller, source)


def _restored(dynamodb: DynamoDb, params: Params, caller: Caller, source: _Source) -> Params | Awaitable[Params]:
    """Make a table of copied items. Tags, time to live and recovery are not restored, as on AWS."""
    definition.refuse_missing(params)
    name, wanted = params["TargetTableName"], _overridden(source.definition, params)
    types = definition.check_table(wanted | {"TableName": name})
    _check_name(dynamodb, name, caller)
    table = make_table(dynamodb, name, wanted, types, caller)
    restored_to = dynamodb.clock.now() if source.at is None else source.at

    def finish(copied: RowCopy) -> Params:
        try:
            _check_name(dynamodb, name, caller)  # another may have been faster
        except AwsError:
            dynamodb.background.discard(table.rows)
            raise
        table.item_count, table.size_bytes = copied.item_count, copied.size_bytes
        summary = source.summary | {"RestoreDateTime": restored_to, "RestoreInProgress": False}
        table.settings["restore_summary"] = summary
        dynamodb.add(table, caller)
        table.on_count()
        if table.indexes:
            dynamodb.fill(table, "CREATING")
        found = describe(table, "CREATING")
        return {"TableDescription": found | {"RestoreSummary": summary | {"RestoreInProgress": True}}}

    return _after(dynamodb.background.copy(source.rows, table.rows, source.at), finish)


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
