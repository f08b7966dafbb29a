"""Backups of the orders table: on demand, of a deleted table, and the window of point-in-time recovery."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from orderboard.errors import RigError, UsageError
from orderboard.system.localbus import now_at
from orderboard.system.target import Target

POLL_S: Final = 0.1  # on this machine
POLL_AWS_S: Final = 5.0
_LACKS: Final = {
    "localstack": "DynamoDB Local, which it runs, has no backups",
    "ministack": "it restores any point in time as the present, and does not say which state a table was restored from",
}
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_USE: Final = "Use embedded or aws."
_NO_SUCH_ACTION: Final = ("UnknownOperationException", "InternalFailure", "NotImplemented", "InvalidAction")


@dataclass(frozen=True)
class Backup:
    """A backup. kind: USER was made on demand; SYSTEM by DynamoDB, when the table was deleted."""

    arn: str
    name: str
    table: str
    kind: str
    status: str
    created: datetime
    size_bytes: int
    expires: datetime | None = None

    @classmethod
    def of(cls, details: Any, table: str) -> "Backup":
        """Return the backup of a BackupDetails or BackupSummary."""
        expires = details.get("BackupExpiryDateTime")
        return cls(
            arn=details["BackupArn"],
            name=details["BackupName"],
            table=table,
            kind=details["BackupType"],
            status=details["BackupStatus"],
            created=details["BackupCreationDateTime"].astimezone(UTC),
            size_bytes=details.get("BackupSizeBytes", 0),
            expires=None if expires is None else expires.astimezone(UTC),
        )

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        times = {"created": self.created.isoformat(), "expires": self.expires and self.expires.isoformat()}
        return asdict(self) | times


@dataclass(frozen=True)
class Window:
    """The times to which the table can be restored."""

    earliest: datetime
    latest: datetime


def create(target: Target, name: str | None = None) -> Backup:
    """Back the orders table up, and wait until the backup can be used. Raises UsageError and RigError."""
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r}: expected 3 to 255 letters, digits, and characters of _.-, such as nightly.")
    table, client = target.outputs.orders_table, target.dynamodb
    name = name or f"{table}-{now_at(target.endpoint):%Y%m%d-%H%M%S}"
    with backups_built(target):
        try:
            arn = client.create_backup(TableName=table, BackupName=name)["BackupDetails"]["BackupArn"]
        except client.exceptions.TableNotFoundException as exc:
            raise missing_table(target) from exc
    return available(target, arn)


def missing_table(target: Target) -> RigError:
    """Return the error for what needs the orders table, which is gone."""
    return RigError(f"The table {target.outputs.orders_table} does not exist. Restore it: orderboard backup restore")


def available(target: Target, arn: str) -> Backup:
    """Return the backup when it can be used."""
    client = target.dynamodb
    while True:
        found = client.describe_backup(BackupArn=arn)["BackupDescription"]
        backup = Backup.of(found["BackupDetails"], found["SourceTableDetails"]["TableName"])
        if backup.status != "CREATING":
            return backup
        pause(target)


def listed(target: Target) -> list[Backup]:
    """Return the backups of the orders table, the newest first."""
    return of_table(target, target.outputs.orders_table)


def of_table(target: Target, table: str) -> list[Backup]:
    """Return the backups of a table, the newest first. Raises RigError where the backend has none."""
    client = target.dynamodb
    start: dict[str, Any] = {}
    found: list[Backup] = []
    while True:
        with backups_built(target):
            page = client.list_backups(TableName=table, BackupType="ALL", **start)
        found += [Backup.of(each, each["TableName"]) for each in page["BackupSummaries"]]
        if "LastEvaluatedBackupArn" not in page:
            return sorted(found, key=lambda backup: (backup.created, backup.kind == "SYSTEM"), reverse=True)
        start = {"ExclusiveStartBackupArn": page["LastEvaluatedBackupArn"]}


def chosen(target: Target, text: str | None) -> Backup:
    """Return the backup of this name or ARN, or the newest. Raises UsageError and RigError."""
    table = target.outputs.orders_table
    usable = [backup for backup in listed(target) if backup.status == "AVAILABLE"]
    if not usable:
        raise RigError(f"The table {table} has no backup. Make one: orderboard backup create")
    if text is None:
        return usable[0]
    found = [backup for backup in usable if text in (backup.arn, backup.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{len(found)} backups have the name {text!r}. Give the ARN: orderboard backup list --json")
    if text.startswith("arn:") and text.split(":")[3:5] != usable[0].arn.split(":")[3:5]:
        region, account = usable[0].arn.split(":")[3:5]
        raise UsageError(f"{text} is not a backup of the account {account} in {region}, which this command uses.")
    raise UsageError(f"{table} has no backup {text!r}. Show them: orderboard backup list")


def lost_after(cut: datetime, known: Sequence[Backup]) -> datetime | None:
    """Return when a table that is gone was deleted, as DynamoDB's own backup tells; None if it made none since a cut.

    known: the newest first. One from before the cut is of an earlier loss.
    """
    return next((each.created for each in known if each.kind == "SYSTEM" and each.created >= cut), None)


def window(target: Target) -> Window | None:
    """Return the window of point-in-time recovery; None if it is off, or the table is gone."""
    client = target.dynamodb
    try:
        found = client.describe_continuous_backups(TableName=target.outputs.orders_table)
    except client.exceptions.TableNotFoundException:
        return None
    recovery: Any = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if "LatestRestorableDateTime" not in recovery:
        return None
    times = (recovery[name].astimezone(UTC) for name in ("EarliestRestorableDateTime", "LatestRestorableDateTime"))
    return Window(*times)


@contextmanager
def backups_built(target: Target) -> Iterator[None]:
    """Raise RigError if the backend has no backups."""
    try:
        yield
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in _NO_SUCH_ACTION:
            raise
        require_backups(target.endpoint.name)
        raise UsageError(f"The backend {target.endpoint.name} has no backups of tables: {exc}. {_USE}") from exc


def require_backups(backend: str | None) -> None:
    """Raise UsageError if a backend is known not to restore tables as DynamoDB does."""
    if (why := _LACKS.get(backend or "")) is not None:
        raise UsageError(f"The backend {backend} cannot restore tables: {why}. {_USE}")


def pause(target: Target) -> None:
    """Wait before the next look."""
    time.sleep(POLL_S if target.endpoint.local else POLL_AWS_S)
