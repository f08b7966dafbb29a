"""All tables, by account, region and name."""

from __future__ import annotations

from collections.abc import Iterator

from localbus.clock import Clock
from localbus.dynamodb.backup import Backup
from localbus.dynamodb.errors import no_such_table
from localbus.dynamodb.request_tokens import RequestTokens
from localbus.dynamodb.store import Store
from localbus.dynamodb.table import Recovery, Table
from localbus.dynamodb.time_to_live import Expiry
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Api, ErrorSpec

ERROR_SPECS = {"InternalServerError": ErrorSpec(500, fault="Receiver")}


class DynamoDb:
    """The state of DynamoDB."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.api = Api("dynamodb", ERROR_SPECS)
        self.store = Store()
        self.tokens = RequestTokens(clock)
        self._tables: dict[tuple[str, str], dict[str, Table]] = {}
        self.backups: dict[str, Backup] = {}  # by ARN
        self._expiries: dict[str, Expiry] = {}

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

    def remove(self, table: Table, caller: Caller) -> None:
        """Remove a table with its items."""
        self.set_time_to_live(table, None)
        del self.tables(caller)[table.name]
        table.rows.drop()

    def set_time_to_live(self, table: Table, attribute: str | None) -> None:
        """Let the items of a table expire by an attribute, or (None) not at all."""
        expiry = self._expiries.pop(table.table_id, None)
        if expiry is not None:
            expiry.stop()
        table.ttl_attribute, table.on_expiry = attribute, None
        if attribute is not None:
            self._expiries[table.table_id] = expiry = Expiry(self.clock, self.store, table)
            table.on_expiry = expiry.note
            table.rows.index_expiry()
            with self.store.transaction():
                table.index_again()

    def set_recovery(self, table: Table, days: int | None) -> None:
        """Let a table be restored to each time of so many past days, or (None) not at all."""
        if days is None:
            if table.recovery is not None:
                table.rows.drop_history()
            table.recovery = None
        elif table.recovery is None:
            table.rows.keep_history()
            table.recovery = Recovery(self.clock.now(), self.clock.now, days)
        else:
            table.recovery.days = days

    def stop(self) -> None:
        """Remove all tables."""
        for expiry in self._expiries.values():
            expiry.stop()
        self.store.close()
