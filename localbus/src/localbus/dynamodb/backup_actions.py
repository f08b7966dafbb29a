"""Backups: on demand, of a deleted table, and continuous ones. A backup is complete with its answer.

With many items the answer takes a while, in which other requests are answered.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/BackupRestore.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from localbus.dynamodb.backup import Backup, RowCopy
from localbus.dynamodb.setting_actions import time_to_live_of
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.store import Rows
from localbus.dynamodb.table import Table
from localbus.dynamodb.table_actions import deletable
from localbus.dynamodb.table_description import describe
from localbus.errors import AwsError
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_PAGE_LENGTH = 100
_DAYS = 35
_DELETED = "$DeletedTableBackup"  # the end of a system backup's name


def create_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params | Awaitable[Params]:
    """CreateBackup."""
    table = table_of(dynamodb, params["TableName"], caller)
    backup = new_backup(table, params["BackupName"], dynamodb.clock.now(), dynamodb.store.create())

    def finish(_copied: RowCopy) -> Params:
        dynamodb.add_backup(backup)
        return {"BackupDetails": backup.details("CREATING")}

    return after_copy(dynamodb.background.copy(table.rows, backup.rows), finish)


def delete_table(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DeleteTable. The last state of a table with point-in-time recovery is kept for 35 days, as a system backup."""
    table, answer = deletable(dynamodb, params, caller)
    last = None
    if table.recovery is not None:
        last = new_backup(table, f"{table.name}{_DELETED}", dynamodb.clock.now(), table.rows)
        last.kind, last.expires = "SYSTEM", last.created + _DAYS * 86400
    dynamodb.remove(table, caller, last)
    return answer


def new_backup(table: Table, name: str, now: float, rows: Rows) -> Backup:
    """Return a backup of a table's definition at this time, whose items are in `rows`."""
    arn = f"{table.arn}/backup/{int(now * 1000):014}-{new_id()[:8]}"
    found = describe(table)
    return Backup(arn, name, now, found, definition_of(found), time_to_live_of(table), rows)


def after_copy(
    copying: RowCopy | Awaitable[RowCopy], finish: Callable[[RowCopy], Params]
) -> Params | Awaitable[Params]:
    """Return what `finish` makes of a copy, at once if it is complete."""
    if isinstance(copying, RowCopy):
        return finish(copying)
    waiting = copying

    async def wait() -> Params:
        return finish(await waiting)

    return wait()


def definition_of(table: Params) -> Params:
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


def table_of(dynamodb: DynamoDb, name: str, caller: Caller) -> Table:
    """Return a table by name or ARN. Raises AwsError: of backups' actions, the error for none has another name."""
    try:
        return dynamodb.table(name, caller)
    except AwsError as exc:
        raise AwsError("TableNotFoundException", f"Table not found: {name}") from exc


def backup_of(dynamodb: DynamoDb, params: Params, caller: Caller) -> Backup:
    """Return the backup that a request names. Raises AwsError."""
    arn = params["BackupArn"]
    dynamodb.expire_backups()
    found = dynamodb.backups.get(arn)
    if found is None or not arn.startswith(_own(caller)):
        raise AwsError("BackupNotFoundException", f"Backup not found: {arn}")
    return found


def _own(caller: Caller) -> str:
    return f"arn:aws:dynamodb:{caller.region}:{caller.account}:table/"


def describe_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeBackup."""
    return {"BackupDescription": backup_of(dynamodb, params, caller).described()}


def delete_backup(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DeleteBackup."""
    backup = backup_of(dynamodb, params, caller)
    if backup.rows.copies:
        raise AwsError("BackupInUseException", f"Backup is being used to restore another table: {backup.arn}")
    dynamodb.remove_backup(backup)
    return {"BackupDescription": backup.described("DELETED")}


def list_backups(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ListBackups."""
    dynamodb.expire_backups()
    name, kind = params.get("TableName", ""), params.get("BackupType", "USER")
    low, high = seconds_of(params.get("TimeRangeLowerBound")), seconds_of(params.get("TimeRangeUpperBound"))
    found = [
        backup
        for arn, backup in sorted(dynamodb.backups.items())
        if arn.startswith(_own(caller))
        and arn > params.get("ExclusiveStartBackupArn", "")
        and name.rpartition("/")[2] in {"", backup.source["TableName"]}
        and kind in {backup.kind, "ALL"}
        and (low is None or backup.created >= low)
        and (high is None or backup.created < high)
    ]
    page = found[: params.get("Limit", _PAGE_LENGTH)]
    last = {"LastEvaluatedBackupArn": page[-1].arn} if len(page) < len(found) else {}
    return {"BackupSummaries": [backup.summary() for backup in page]} | last


def seconds_of(given: datetime | None) -> float | None:
    """Return a time as seconds since 1970."""
    return None if given is None else given.timestamp()


# Continuous backups


def describe_continuous_backups(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeContinuousBackups."""
    return _continuous(table_of(dynamodb, params["TableName"], caller))


def update_continuous_backups(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """UpdateContinuousBackups."""
    table, wanted = table_of(dynamodb, params["TableName"], caller), params["PointInTimeRecoverySpecification"]
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
            "LatestRestorableDateTime": table.recovery.latest,
        }
    description = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": found}
    return {"ContinuousBackupsDescription": description}
