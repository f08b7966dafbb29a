"""All tables, by account, region and name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from localbus.clock import Clock
from localbus.dynamodb.background import Background, Expiry
from localbus.dynamodb.backup import Backup
from localbus.dynamodb.errors import no_such_table
from localbus.dynamodb.key_schema import Index, KeySchema
from localbus.dynamodb.request_tokens import RequestTokens
from localbus.dynamodb.store import Store
from localbus.dynamodb.table import Recovery, Table
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Api, ErrorSpec
from localbus.storage.documents import Document
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Storage

# Kinds of records: tables and their counts by ARN, backups by ARN.
_TABLE, _COUNTS, _BACKUP = "dynamodb.table", "dynamodb.counts", "dynamodb.backup"

ERROR_SPECS = {"InternalServerError": ErrorSpec(500, fault="Receiver")}


class DynamoDb:
    """The state of DynamoDB."""

    def __init__(self, clock: Clock, storage: Storage) -> None:
        self.clock = clock
        self.api = Api("dynamodb", ERROR_SPECS)
        self.storage = storage
        self.store = Store(storage)
        self.background = Background(storage, self.store)
        self.tokens = RequestTokens(clock, storage)
        if isinstance(storage, DurableStorage):
            storage.on_rollback.append(self._restore_again)
        self._tables: dict[tuple[str, str], dict[str, Table]] = {}
        self.backups: dict[str, Backup] = {}  # by ARN
        self._expiries: dict[str, Expiry] = {}
        self._is_stopped = False

    def tables(self, caller: Caller) -> dict[str, Table]:
        """Return the tables of the caller's account and region, by name."""
        return self._tables.setdefault((caller.account, caller.region), {})

    def all_tables(self) -> Iterator[Table]:
        """Return the tables of all accounts."""
        for tables in self._tables.values():
            yield from tables.values()

    def table(self, name: str, caller: Caller) -> Table:
        """Return the table of that name or ARN. Raises AwsError."""
        tables = self._tables.get((caller.account, caller.region), {})
        table = tables.get(name)
        if table is None and name.startswith("arn:"):
            table = tables.get(name.rpartition("/")[2])
            table = table if table is not None and table.arn == name else None
        if table is None:
            raise no_such_table()
        return table

    def add(self, table: Table, caller: Caller) -> None:
        """Add a table."""
        self.tables(caller)[table.name] = table
        self._count(table)
        self.save(table)

    def _count(self, table: Table) -> None:
        if self.storage.is_durable:
            table.on_count = partial(self.storage.save, _COUNTS, table.arn, table.counts)

    def save(self, table: Table) -> None:
        """Store what has changed of a table's definition."""
        self.storage.save(_TABLE, table.arn, table.document)

    def remove(self, table: Table, caller: Caller, last: Backup | None = None) -> None:
        """Remove a table; with its items, unless its last backup takes them over."""
        self.set_time_to_live(table, None)
        del self.tables(caller)[table.name]
        if last is None:
            self.background.discard(table.rows)
        else:
            self.add_backup(last)
        table.on_count = lambda: None
        for kind in (_TABLE, _COUNTS):
            self.storage.delete(kind, table.arn)

    def add_backup(self, backup: Backup) -> None:
        """Add a backup."""
        self.backups[backup.arn] = backup
        self.storage.save(_BACKUP, backup.arn, backup.document)

    def expire_backups(self) -> None:
        """Remove the backups whose time is over."""
        now = self.clock.now()
        for backup in [each for each in self.backups.values() if each.expires is not None and each.expires <= now]:
            self.remove_backup(backup)

    def remove_backup(self, backup: Backup) -> None:
        """Remove a backup with its items."""
        del self.backups[backup.arn]
        self.background.discard(backup.rows)
        self.storage.delete(_BACKUP, backup.arn)

    def restore(self) -> None:
        """Read everything but the items from the storage, when the engine starts. Raises DataFolderError."""
        counts = {arn: found for _, arn, found in self.storage.records(_COUNTS)}
        for _, arn, document in self.storage.records(_TABLE):
            table = self._restored(arn, document)
            _, _, _, region, account, _ = arn.split(":", 5)
            self._tables.setdefault((account, region), {})[table.name] = table
            if arn in counts:
                table.restore_counts(counts[arn])
            self._count(table)
            if table.ttl_attribute is not None:
                self._start_expiry(table).look()
            if table.filling:
                self.background.soon(self._fill_some, table)
        for _, arn, document in self.storage.records(_BACKUP):
            self.backups[arn] = Backup(arn, **document | {"rows": self.store.open(document["rows"])})
        known = {table.rows.number for table in self.all_tables()}
        known |= {backup.rows.number for backup in self.backups.values()}
        self.background.discard_later(self.store.unknown(known))
        self.tokens.restore()

    def _restored(self, arn: str, document: Document) -> Table:
        indexes = [Index.restored(index) for index in document.pop("indexes")]
        numbers = [index.number for index in indexes]
        recovery = document.pop("recovery")
        rows = self.store.open(document.pop("rows"), numbers, document.pop("last_index"))
        known = document | {"arn": arn, "keys": KeySchema(**document["keys"]), "rows": rows}
        table = Table(**known, indexes={index.name: index for index in indexes})
        if recovery is not None:
            table.recovery = Recovery(recovery["since"], self.clock.now, recovery["days"])
        return table

    def _restore_again(self) -> None:
        """Go back to the last commit: the writes since then were undone, as the disk is full."""
        for expiry in self._expiries.values():
            expiry.stop()
        self._expiries.clear()
        self._tables.clear()
        self.backups.clear()
        self.background.forget()
        self.storage.forget("dynamodb.")
        self.restore()

    def set_time_to_live(self, table: Table, attribute: str | None) -> None:
        """Let the items of a table expire by an attribute, or (None) not at all."""
        expiry = self._expiries.pop(table.table_id, None)
        if expiry is not None:
            expiry.stop()
        table.ttl_attribute, table.on_expiry = attribute, None
        if attribute is not None:
            self._start_expiry(table)
            table.rows.index_expiry()
            self.fill(table, "ACTIVE")
        self.save(table)

    def fill(self, table: Table, status: str) -> None:
        """Set what indexes and time to live need of each item; of many items some, and the rest in the background.

        `status` is that of the table meanwhile.
        """
        is_running = bool(table.filling)
        table.filling, table.filled_to = status, 0
        if not is_running:
            self._fill_some(table)

    def _fill_some(self, table: Table) -> None:
        _, _, _, region, account, _ = table.arn.split(":", 5)
        if self._is_stopped or self._tables.get((account, region), {}).get(table.name) is not table:
            return
        with self.store.transaction():
            table.fill_some()
        if table.filling:
            self.background.soon(self._fill_some, table)
        else:
            self.save(table)

    def _start_expiry(self, table: Table) -> Expiry:
        self._expiries[table.table_id] = expiry = Expiry(self.clock, self.store, table)
        table.on_expiry = expiry.note
        return expiry

    def set_recovery(self, table: Table, days: int | None) -> None:
        """Let a table be restored to each time of so many past days, or (None) not at all."""
        if days is None:
            if table.recovery is not None:
                if table.rows.copies:
                    text = "The table is being backed up or restored. Try again when that has ended."
                    raise AwsError("ContinuousBackupsUnavailableException", text)
                table.rows.drop_history()
            table.recovery = None
        elif table.recovery is None:
            table.rows.keep_history()
            table.recovery = Recovery(self.clock.now(), self.clock.now, days)
        else:
            table.recovery.days = days
        self.save(table)

    def stop(self) -> None:
        """Remove all tables that are not stored."""
        self._is_stopped = True
        self.background.stop()
        for expiry in self._expiries.values():
            expiry.stop()
        self.store.close()
