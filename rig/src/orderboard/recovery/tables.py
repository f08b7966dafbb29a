"""Tables as DynamoDB restores and deletes them, each step with the wait for its end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from orderboard.errors import RigError
from orderboard.recovery.backups import Backup, backups_built, pause
from orderboard.system.target import Target

GO_ON: Final = "Go on: orderboard backup restore"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """The state to restore: of a backup, or the table's at a time (None: the latest that can be restored)."""

    backup: Backup | None = None
    at: datetime | None = None

    def __str__(self) -> str:
        if self.backup is not None:
            return f"the backup {self.backup.name}"
        return "the latest restorable time" if self.at is None else f"the table at {self.at:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Table:
    """A table that is there, as DescribeTable has it."""

    name: str
    arn: str
    status: str
    items: int  # at DynamoDB's last count
    protected: bool
    id: str  # which no other table has had, of whatever name
    restored_from: str = ""  # the ARN of a backup
    restored_to: datetime | None = None

    @property
    def cut(self) -> datetime:
        """The time of the state that it was restored from. Raises RigError if it is not a restored table."""
        if self.restored_to is None:
            raise RigError(f"{self.name} was not made by a restore, and a restore needs its name. Delete it.")
        return self.restored_to


def described(target: Target, name: str) -> Table | None:
    """Return the table of this name, None without."""
    client = target.dynamodb
    try:
        found: Any = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return None
    summary = found.get("RestoreSummary", {})
    return Table(
        name=name,
        arn=found["TableArn"],
        status=found["TableStatus"],
        items=found.get("ItemCount", 0),
        protected=bool(found.get("DeletionProtectionEnabled")),
        id=found.get("TableId", ""),
        restored_from=summary.get("SourceBackupArn", ""),
        restored_to=summary["RestoreDateTime"].astimezone(UTC) if summary else None,
    )


def active(target: Target, name: str, say: Say) -> Table:
    """Return the table when it can be used; AWS takes minutes to hours to restore one. Raises RigError."""
    while True:
        found = described(target, name)
        if found is None or found.status not in ("CREATING", "UPDATING", "ACTIVE"):
            raise RigError(
                f"The table {name} was not restored: it {'is gone' if found is None else f'is {found.status}'}."
            )
        if found.status == "ACTIVE":
            return found
        say(found.status.lower())
        pause(target)


def restore_to(target: Target, source: Source, name: str, table: str) -> None:
    """Begin to restore a state of a table under another name, or of its backup under any. Raises RigError."""
    client = target.dynamodb
    try:
        with backups_built(target):
            if source.backup is not None:
                client.restore_table_from_backup(TargetTableName=name, BackupArn=source.backup.arn)
            elif source.at is None:
                client.restore_table_to_point_in_time(
                    SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True
                )
            else:
                client.restore_table_to_point_in_time(
                    SourceTableName=table, TargetTableName=name, RestoreDateTime=source.at
                )
    except client.exceptions.TableAlreadyExistsException as exc:
        raise another_restore(name) from exc


def another_restore(name: str) -> RigError:
    """Return the error for a table that came meanwhile."""
    return RigError(f"Another restore has made {name} meanwhile, and goes on. Wait until it ends.")


def delete(target: Target, name: str, say: Say = lambda _: None) -> None:
    """Delete a table if it is there, and wait until it is gone. DynamoDB deletes none while it makes or changes it."""
    client = target.dynamodb
    while (found := described(target, name)) is not None and found.status in ("CREATING", "UPDATING"):
        say(found.status.lower())
        pause(target)
    if found is not None and found.status != "DELETING":
        client.delete_table(TableName=name)
    while (found := described(target, name)) is not None:
        say(found.status.lower())
        pause(target)
