"""All tables, by account, region and name."""

from __future__ import annotations

from collections.abc import Iterator

from localbus.clock import Clock
from localbus.dynamodb.errors import no_such_table
from localbus.dynamodb.store import Store
from localbus.dynamodb.table import Table
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Api, ErrorSpec

ERROR_SPECS = {"InternalServerError": ErrorSpec(500, fault="Receiver")}


class DynamoDb:
    """The state of DynamoDB."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.api = Api("dynamodb", ERROR_SPECS)
        self.store = Store()
        self._tables: dict[tuple[str, str], dict[str, Table]] = {}

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

    def stop(self) -> None:
        """Remove all tables."""
        self.store.close()
