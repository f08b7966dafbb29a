"""A backup of a table: its items and its definition at one time."""

from __future__ import annotations

from dataclasses import dataclass

from localbus.dynamodb.store import Rows
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document


@dataclass
class Backup:
    """A backup. `source` is the DescribeTable of its table, `definition` what CreateTable needs to make it again."""

    arn: str
    name: str
    created: float
    source: Params
    definition: Params
    time_to_live: Params
    rows: Rows

    def document(self) -> Document:
        """Return the backup for the storage, without its rows."""
        known = {"name": self.name, "created": self.created, "source": self.source, "definition": self.definition}
        return known | {"time_to_live": self.time_to_live, "rows": self.rows.number}

    def details(self, status: str = "AVAILABLE") -> Params:
        """Return the BackupDetails."""
        return {
            "BackupArn": self.arn,
            "BackupName": self.name,
            "BackupSizeBytes": self.source["TableSizeBytes"],
            "BackupStatus": status,
            "BackupType": "USER",
            "BackupCreationDateTime": self.created,
        }

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
