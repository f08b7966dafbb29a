"""A backup of a table: its items and its definition at one time. It is made, and restored, by a copy of rows.

A row that is replaced or deleted before its turn is copied first, so a copy has what was there when it began.
"""

# ruff: noqa: S608 (the names of tables are made here; values are parameters)

from __future__ import annotations

import json
from dataclasses import dataclass

from localbus.dynamodb.store import Key, Rows
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document

_COPIED_AT_ONCE = 500
_COLUMNS = "p, r, size, item"


@dataclass
class Backup:
    """A backup. `source` is the DescribeTable of its table, `definition` what CreateTable needs to make it again.

    One of kind SYSTEM was made by the deletion of its table, and `expires`.
    """

    arn: str
    name: str
    created: float
    source: Params
    definition: Params
    time_to_live: Params
    rows: Rows
    kind: str = "USER"
    expires: float | None = None

    def document(self) -> Document:
        """Return the backup for the storage, without its rows."""
        known = {"name": self.name, "created": self.created, "source": self.source, "definition": self.definition}
        known |= {"time_to_live": self.time_to_live, "rows": self.rows.number}
        return known | {"kind": self.kind, "expires": self.expires}

    def details(self, status: str = "AVAILABLE") -> Params:
        """Return the BackupDetails."""
        found = {
            "BackupArn": self.arn,
            "BackupName": self.name,
            "BackupSizeBytes": self.source["TableSizeBytes"],
            "BackupStatus": status,
            "BackupType": self.kind,
            "BackupCreationDateTime": self.created,
        }
        return found if self.expires is None else found | {"BackupExpiryDateTime": self.expires}

    def summary(self) -> Params:
        """Return the BackupSummary."""
        return {name: self.source[name] for name in ("TableName", "TableId", "TableArn")} | self.details()

    def described(self, status: str = "AVAILABLE") -> Params:
        """Return the BackupDescription."""
        table, definition = self.source, self.definition
        details = {name: table[name] for name in ("TableName", "TableId", "TableArn", "TableSizeBytes", "ItemCount")}
        units = {name: table["ProvisionedThroughput"][name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
        details |= {
            "KeySchema": table["KeySchema"],
            "TableCreationDateTime": table["CreationDateTime"],
            "ProvisionedThroughput": units,
            "BillingMode": definition.get("BillingMode", "PROVISIONED"),
        }
        features: Params = {
            name: definition[name] for name in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes") if name in definition
        }
        if "SSEDescription" in table:
            features["SSEDescription"] = table["SSEDescription"]
        return {
            "BackupDetails": self.details(status),
            "SourceTableDetails": details,
            "SourceTableFeatureDetails": features | {"TimeToLiveDescription": self.time_to_live},
        }


class RowCopy:
    """A copy from the rows of one table to new ones, without index keys. `item_count` and `size_bytes` are its own.

    `at` is a time in the history of the table, or None for now. The table's rows must not be dropped before `end`.
    """

    def __init__(self, source: Rows, target: Rows, at: float | None = None) -> None:
        self.item_count = 0
        self.size_bytes = 0
        self._source = source
        self.target = target
        self._at = at
        self._tables = [source.name] if at is None else [source.name, f"{source.name}_old"]
        self._copied_to = 0  # the number of the last row that was copied
        self._counted_to = 0  # the number of the last row of the copy that was counted
        self._last = self._last_row()
        self._newer: set[int] = set()  # numbers of rows that are newer than the copy, where one was deleted
        source.copies.append(self)

    def _last_row(self) -> int:
        found: int = self._source.execute(f"SELECT coalesce(max(rowid), 0) FROM {self._tables[0]}").fetchone()[0]
        return found

    def step(self) -> bool:
        """Copy the next rows. Return whether there are more."""
        while self._tables:
            is_full = self._copy_next() == _COPIED_AT_ONCE
            self._count()
            if is_full:
                return True
            del self._tables[0]
            if self._tables:
                self._copied_to, self._last = 0, self._last_row()
        return False

    def _copy_next(self) -> int:
        """Copy the next rows of the first table, and return how many were looked at."""
        numbers = f"SELECT rowid FROM {self._tables[0]} WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?"
        found = self._source.execute(numbers, (self._copied_to, self._last, _COPIED_AT_ONCE)).fetchall()
        if found:
            newer = json.dumps([*self._newer])
            some = "rowid > ? AND rowid <= ? AND rowid NOT IN (SELECT value FROM json_each(?))"
            condition, times = self._condition()
            self._copy(f"{some}{condition}", self._copied_to, found[-1][0], newer, *times)
            self._copied_to = found[-1][0]
        return len(found)

    def end(self) -> None:
        """Let the table's rows go. No step follows."""
        self._source.copies.remove(self)

    def before_change(self, key: Key) -> None:
        """Copy a row that is about to be replaced or deleted, if its turn has not come."""
        if self._at is not None or not self._tables:  # the history keeps it, or everything is copied
            return
        row = f"SELECT rowid FROM {self._source.name} WHERE p = ? AND r = ?"
        for (number,) in self._source.execute(row, key).fetchall():
            if self._copied_to < number <= self._last and number not in self._newer:
                self._copy("rowid = ?", number)

    def after_insert(self, number: int) -> None:
        """Take note of a new row, which may have the number of one that was deleted."""
        if number <= self._last:
            self._newer.add(number)

    def _copy(self, condition: str, *values: object) -> None:
        into = f"INSERT INTO {self.target.name} ({_COLUMNS}) SELECT {_COLUMNS} FROM {self._tables[0]}"
        self.target.write(f"{into} WHERE {condition} ON CONFLICT DO NOTHING", values)

    def _condition(self) -> tuple[str, list[float]]:
        """Return the condition for the rows of the time, with its values."""
        if self._at is None:
            return "", []
        if self._tables[0] == self._source.name:
            return " AND (w IS NULL OR w <= ?)", [self._at]
        return " AND (w IS NULL OR w <= ?) AND until > ?", [self._at, self._at]

    def _count(self) -> None:
        new = f"SELECT count(*), coalesce(sum(size), 0), max(rowid) FROM {self.target.name} WHERE rowid > ?"
        count, size, last = self.target.execute(new, (self._counted_to,)).fetchone()
        self.item_count += count
        self.size_bytes += size
        self._counted_to = last or self._counted_to
