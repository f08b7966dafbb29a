"""A restore of the orders table under its own name, whole: with the rows of what came after the backup.

DynamoDB restores to a new table only. The backup becomes a temporary table; the rows that it lacks follow from the
facts in the bus's archive; and a backup of that becomes the table again. So workers find the whole table or none, and
while there is none they keep or return their messages. Each step looks at what is there, so an interrupted restore goes
on.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orderboard.errors import RigError
from orderboard.recovery import settings
from orderboard.recovery.archive import ARCHIVE_LAG_S, read_facts
from orderboard.recovery.backups import available, listed, lost_after, of_table, pause
from orderboard.recovery.facts import Facts
from orderboard.recovery.plan import Plan
from orderboard.recovery.rows import Written, write_rows
from orderboard.recovery.settings import TableSettings
from orderboard.recovery.tables import GO_ON, Source, Table, active, another_restore, delete, described, restore_to
from orderboard.system.localbus import now_at
from orderboard.system.target import Target
from orderboard.terminal.progress import Screen

_REBUILT: Final = "-rebuilt"
_RETENTION: Final = "MessageRetentionPeriod"


@dataclass(frozen=True)
class Restored:
    """The result. cut: the time of the restored state; `written` is what came later, from so many facts.

    incomplete: orders that ended after the cut without a fact of their acceptance, and so are missing. absent_s: for
    how long this command saw no table, until back_at.
    """

    table: str
    source: str
    cut: datetime
    facts: int = 0
    written: Written = field(default_factory=Written)
    incomplete: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    absent_s: float = 0.0
    back_at: datetime | None = None


def restore(plan: Plan, screen: Screen) -> Restored:
    """Restore. Raises RigError, and KeyboardInterrupt that says what is left."""
    return _Restore(plan, screen).run()


class _Restore:
    def __init__(self, plan: Plan, screen: Screen) -> None:
        self._plan, self._screen = plan, screen
        self._target: Target = plan.target
        self._client = plan.target.dynamodb
        self._stage = "before" if plan.deletes else "after" if plan.is_back else "without"
        self._gone_at = time.monotonic()

    def run(self) -> Restored:
        with self._interruptible():
            return self._directly() if self._plan.is_direct else self._by_temporary_table()

    def _directly(self) -> Restored:
        plan = self._plan
        wanted = self._settings(None)
        back = self._await(plan.name) if plan.is_back else self._restored(plan.source or Source(), plan.name)
        return self._finished(back, wanted, Restored(plan.name, str(plan.source), back.cut))

    def _by_temporary_table(self) -> Restored:
        plan, temporary = self._plan, self._temporary()
        source = f"the table or backup of {temporary.cut:%Y-%m-%dT%H:%M:%SZ}" if plan.source is None else plan.source
        result = Restored(plan.name, str(source), temporary.cut)
        if plan.is_back:
            back = self._await(plan.name)
        else:
            self._drop_table()
            if plan.rebuilds:
                result = self._rebuilt(result)
            back = self._restored(Source(self._backup()), plan.name)
        return self._finished(back, settings.carried_by(self._client, temporary.arn), result)

    def _temporary(self) -> Table:
        """Return the temporary table with the state to restore, which carries the settings to put back."""
        plan = self._plan
        if plan.temporary is None and plan.source is not None:
            found = self._restored(plan.source, plan.temporary_name)
        else:
            found = self._await(plan.temporary_name)
        if not settings.is_carried_by(self._client, found.arn):
            settings.carry(self._client, found.arn, self._settings(found))
        return found

    def _settings(self, temporary: Table | None) -> TableSettings:
        """Return the settings of the table; if it is gone, as far as a backup and the stack know them."""
        plan = self._plan
        if plan.table is not None and not plan.is_back:
            return settings.read(self._client, plan.name)
        backup = plan.source.backup.arn if plan.source is not None and plan.source.backup is not None else None
        if backup is None and temporary is not None:
            backup = temporary.restored_from
        return settings.of_backup(self._client, backup, self._stack_tags()) if backup else TableSettings()

    def _stack_tags(self) -> dict[str, str]:
        pages = self._target.cloudformation.get_paginator("describe_stacks").paginate()
        for stack in (stack for page in pages for stack in page["Stacks"]):
            outputs: Any = stack.get("Outputs", [])
            if any(each["OutputValue"] == self._plan.name for each in outputs):
                return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
        return {}

    def _drop_table(self) -> None:
        """Delete the table as it was planned. Another one by its name is that of another restore, with all its rows."""
        planned, found = self._plan.table, described(self._target, self._plan.name)
        if found is not None and (planned is None or planned.id != found.id):
            raise another_restore(found.name)
        if found is not None:
            with self._screen.task(f"{self._plan.name} deleted") as task:
                delete(self._target, self._plan.name, task.detail)
        self._stage, self._gone_at = "without", time.monotonic()

    def _rebuilt(self, result: Restored) -> Restored:
        """Add the rows that follow from facts. The table is gone, so none is added to them meanwhile."""
        facts = self._facts(result.cut)
        rows = list(facts.rows())
        with self._screen.task("Rows after the backup") as task:
            written = write_rows(self._target, self._plan.temporary_name, rows, task.detail)
        return replace(result, facts=facts.count, written=written, incomplete=tuple(facts.incomplete()))

    def _facts(self, cut: datetime) -> Facts:
        self._await_archive(cut)
        with self._screen.task("Facts of the archive") as task:
            # A message that was handled after the cut may have waited in its queue before.
            facts = read_facts(self._target, cut - timedelta(seconds=self._retention_s()), task.detail)
            if facts.incomplete():  # or in a dead-letter queue
                facts = read_facts(self._target, self._archived_since(), task.detail)
        return facts

    def _await_archive(self, cut: datetime) -> None:
        """On AWS, wait until the last facts have reached the archive."""
        if self._target.endpoint.local:
            return
        now = datetime.now(UTC)
        lost_at = now if self._plan.deletes else lost_after(cut, listed(self._target)) or now
        until = lost_at + timedelta(seconds=ARCHIVE_LAG_S)
        with self._screen.task("The archive's last facts") as task:
            while (left_s := (until - datetime.now(UTC)).total_seconds()) > 0:
                task.detail(f"{left_s:.0f} s to wait")
                pause(self._target)

    def _retention_s(self) -> int:
        outputs = self._target.outputs
        urls = (self._target.queue_url(queue) for queue in (outputs.work_queue, outputs.express_queue))
        found = (self._target.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[_RETENTION]) for url in urls)
        return max(int(each["Attributes"][_RETENTION]) for each in found)

    def _archived_since(self) -> datetime:
        archive = self._target.events.describe_archive(ArchiveName=self._target.outputs.archive_name or "")
        created = archive["CreationTime"].astimezone(UTC)
        days = archive.get("RetentionDays", 0)
        return max(created, now_at(self._target.endpoint) - timedelta(days=days)) if days else created

    def _backup(self) -> Any:
        """Return a backup of the temporary table as it is."""
        table = self._plan.temporary_name
        with self._screen.task("Backup of both"):
            made = self._client.create_backup(TableName=table, BackupName=f"{self._plan.name}{_REBUILT}")
            return available(self._target, made["BackupDetails"]["BackupArn"])

    def _restored(self, source: Source, name: str) -> Table:
        with self._screen.task(f"{name} restored") as task:
            restore_to(self._target, source, name, self._plan.name)
            return active(self._target, name, task.detail)

    def _await(self, name: str) -> Table:
        with self._screen.task(f"{name} found") as task:
            return active(self._target, name, task.detail)

    def _finished(self, back: Table, wanted: TableSettings, result: Restored) -> Restored:
        """Put the settings back and remove what was temporary."""
        absent_s, back_at = time.monotonic() - self._gone_at, datetime.now(UTC)
        self._stage = "after"
        with self._screen.task("Settings put back"):
            put_back = tuple(settings.put_back(self._client, back.name, wanted, lambda: pause(self._target)))
        with self._screen.task("Temporary table and backup removed"):
            for backup in of_table(self._target, self._plan.temporary_name):
                if backup.name == f"{back.name}{_REBUILT}":
                    self._client.delete_backup(BackupArn=backup.arn)
            delete(self._target, self._plan.temporary_name)  # last, as an interrupted restore is known by it
        return replace(result, put_back=put_back, absent_s=round(absent_s, 3), back_at=back_at)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        missing = self._client.exceptions
        try:
            yield
        except (missing.ResourceNotFoundException, missing.TableNotFoundException) as exc:
            if described(self._target, self._plan.temporary_name) is not None:
                raise
            raise RigError("Another restore has ended meanwhile, and removed the temporary table of both.") from exc
        except KeyboardInterrupt as exc:
            name, temporary = self._plan.name, self._plan.temporary_name
            temporary_left = "" if self._plan.is_direct else f", and {temporary} is left"
            left = {
                "before": f"{name} is as it was. {temporary} may be left, which costs its storage.",
                "without": f"{name} does not exist: orders wait in the queues, and workers retry.",
                "after": f"{name} is restored, but its settings may not be{temporary_left}.",
            }[self._stage]
            raise KeyboardInterrupt(f"Interrupted. {left} {GO_ON}{self._same()}") from exc

    def _same(self) -> str:
        """Return the arguments with which the command goes on with this restore. A temporary table knows its source."""
        plan = self._plan
        if plan.is_direct and plan.source is not None and plan.source.backup is not None:
            return f" {plan.source.backup.arn} --without-replay"
        return "" if plan.rebuilds or plan.is_back else " --without-replay"
