"""The plan of a restore, from what is there: every check before anything is changed."""

from dataclasses import dataclass
from datetime import datetime

from orderboard.errors import RigError, UsageError
from orderboard.recovery.backups import chosen, listed, require_backups, window
from orderboard.recovery.tables import GO_ON, Source, Table, delete, described
from orderboard.system.target import Target, restoring


@dataclass(frozen=True)
class Plan:
    """A restore. table: as it is; temporary: of an interrupted restore.

    rebuilds: facts of the archive are added. is_back: the table is the one that an interrupted restore brought back.
    """

    target: Target
    source: Source | None  # None: that of the interrupted restore
    table: Table | None
    temporary: Table | None
    rebuilds: bool
    is_back: bool

    @property
    def name(self) -> str:
        """The table's name."""
        return self.target.outputs.orders_table

    @property
    def temporary_name(self) -> str:
        """The temporary table's name."""
        return restoring(self.name)

    @property
    def deletes(self) -> bool:
        """Return whether the table, as it is, will be deleted."""
        return self.table is not None and not self.is_back

    @property
    def is_direct(self) -> bool:
        """Return whether one restore does: the table is gone, and nothing is to be added."""
        return self.temporary is None and ((self.table is None and not self.rebuilds) or self.is_back)

    def __str__(self) -> str:
        goes_on = self.temporary is not None or self.is_back
        first = "This goes on with an interrupted restore" if goes_on else f"This restores {self.source}"
        after = ", adds what came later, from the archive of the bus," if self.rebuilds else ""
        if self.table is None or self.is_back:
            return f"{first}{after} as {self.name}."
        return (
            f"{first}{after} and DELETES the table {self.name} ({self.table.items:,} items at DynamoDB's last count) "
            "to take its name. Changes of the old table that no event tells are lost."
        )


def plan(
    target: Target, source: str | None, at: datetime | None, *, latest: bool, replays: bool, starts_over: bool
) -> Plan:
    """Look at what is there, and check. source: a backup's name or ARN. starts_over: then delete a temporary table.

    Raises UsageError and RigError.
    """
    require_backups(target.endpoint.name)
    name = target.outputs.orders_table
    table, temporary = described(target, name), described(target, restoring(name))
    left = temporary if starts_over else None
    if left is not None:
        if table is None or _is_back(target, None, table, left):
            raise UsageError(f"The rows are in {left.name} only, so it cannot start over. {GO_ON}")
        temporary = None
    wanted = _source(target, source, at, latest=latest, goes_on=temporary is not None)
    is_back = _is_back(target, wanted, table, temporary)
    rebuilds = replays and not is_back and not (table is None and temporary is None and _is_last_state(target, wanted))
    found = Plan(target, wanted, table, temporary, rebuilds, is_back)
    _check(found)
    if left is not None:
        delete(target, left.name)
    return found


def _source(target: Target, backup: str | None, at: datetime | None, *, latest: bool, goes_on: bool) -> Source | None:
    if at is not None or latest:
        return Source(at=at)
    return None if goes_on and backup is None else Source(chosen(target, backup))


def _is_back(target: Target, source: Source | None, table: Table | None, temporary: Table | None) -> bool:
    if table is None:
        return False
    if temporary is not None:
        return table.restored_from.startswith(f"{temporary.arn}/backup/")
    if source is None or source.backup is None or table.restored_from != source.backup.arn:
        return False
    return table.status == "CREATING" or window(target) is None  # its settings are not back


def _is_last_state(target: Target, source: Source | None) -> bool:
    """Return whether it is the last state of the table that is gone, so that nothing came after it."""
    backup = None if source is None else source.backup
    return backup is not None and backup.kind == "SYSTEM" and listed(target)[0].arn == backup.arn


def _check(found: Plan) -> None:
    source, table, temporary = found.source, found.table, found.temporary
    if temporary is not None and source is not None and not _is_from(temporary, source):
        raise UsageError(
            f"{temporary.name} is left of an interrupted restore of another state. {GO_ON}, or add --start-over."
        )
    if temporary is None and source is not None and source.backup is None:
        _check_time(found, source.at)
    if found.rebuilds and found.target.outputs.archive_name is None:
        raise UsageError(
            "The stack has no archive, which has what came after the backup. Restore without it: --without-replay"
        )
    if table is not None and table.protected and found.deletes:
        raise RigError(
            f"{table.name} is protected against deletion, and a restore deletes it. Turn that off: "
            f"orderboard aws dynamodb update-table --table-name {table.name} --no-deletion-protection-enabled"
        )


def _check_time(found: Plan, at: datetime | None) -> None:
    if found.table is None:
        raise RigError(
            f"The table {found.name} is gone, and only a table that is there has points in time. With point-in-time "
            "recovery DynamoDB has kept its last state as a system backup: orderboard backup restore"
        )
    if (times := window(found.target)) is None:
        raise RigError(f"Point-in-time recovery of {found.name} is off. Restore a backup: orderboard backup list")
    if at is not None and not times.earliest <= at <= times.latest:
        first, last = (f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (times.earliest, times.latest))
        raise UsageError(f"--at {at:%Y-%m-%dT%H:%M:%SZ}: expected a time from {first} to {last}, five minutes ago.")


def _is_from(temporary: Table, source: Source) -> bool:
    """Return whether the temporary table has the state that was asked for."""
    if source.backup is not None:
        return temporary.restored_from == source.backup.arn
    return not temporary.restored_from and source.at in (None, temporary.restored_to)
