"""Backups, and tables restored from them or to a time.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/BackupRestore.html
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import Any

import pytest
from support.dynamodb import Tables, refusal, wire

MANY = 1_500
BEHIND_S = 300


def notes(tables: Tables, name: str) -> dict[int, str]:
    """The notes of a table's orders by time."""
    return {item["time"]: item["note"] for item in tables.all("Scan", TableName=name)}


def order(time: int, note: str) -> dict[str, Any]:
    """An order."""
    return {"customer": "ada", "time": time, "note": note, "status": "new", "total": 1}


def test_a_backup_is_restored(shop: Tables) -> None:
    """With its indexes, and with the items of its time, also after the table is gone; tags are not restored."""
    shop.put("orders", order(1, "a"), order(2, "b"))
    arn = shop.call("CreateBackup", TableName="orders", BackupName="first")["BackupDetails"]["BackupArn"]
    backed_up_at = shop.clock.now()
    shop.clock.advance(10)
    shop.put("orders", order(2, "changed"), order(3, "c"))
    shop.call("DeleteTable", TableName="orders")

    answer = shop.call("RestoreTableFromBackup", TargetTableName="again", BackupArn=arn)

    assert answer["TableDescription"]["TableStatus"] == "CREATING"
    assert notes(shop, "again") == {1: "a", 2: "b"}
    table = shop.call("DescribeTable", TableName="again")["Table"]
    summary = table["RestoreSummary"]
    assert (table["ItemCount"], summary["SourceBackupArn"], summary["RestoreDateTime"]) == (2, arn, backed_up_at)
    assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 2
    assert shop.call("ListBackups", TableName="orders")["BackupSummaries"][0]["BackupName"] == "first"
    assert shop.call("DeleteBackup", BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "DELETED"
    assert refusal(lambda: shop.call("DescribeBackup", BackupArn=arn)) == (
        "BackupNotFoundException",
        f"Backup not found: {arn}",
    )


def test_a_backup_without_its_indexes(shop: Tables) -> None:
    """An override leaves indexes out and changes the billing."""
    shop.put("orders", order(1, "a"))
    arn = shop.call("CreateBackup", TableName="orders", BackupName="first")["BackupDetails"]["BackupArn"]
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    given: Any = {"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": units}

    shop.call("RestoreTableFromBackup", TargetTableName="bare", BackupArn=arn, GlobalSecondaryIndexOverride=[], **given)

    table = shop.call("DescribeTable", TableName="bare")["Table"]
    assert ("GlobalSecondaryIndexes" in table, len(table["LocalSecondaryIndexes"])) == (False, 1)
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 1
    code, message = refusal(lambda: shop.call("RestoreTableFromBackup", TargetTableName="bare", BackupArn=arn))
    assert (code, message) == ("TableAlreadyExistsException", "Table already exists: bare")


def test_a_table_is_restored_to_a_time(shop: Tables) -> None:
    """Each write, replacement and deletion is undone that came later.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    shop.put("orders", order(1, "a"), order(2, "b"))
    enabled = {"PointInTimeRecoveryEnabled": True}
    shop.call("UpdateContinuousBackups", TableName="orders", PointInTimeRecoverySpecification=enabled)
    states = []
    for change in (
        lambda: shop.put("orders", order(3, "c")),
        lambda: shop.put("orders", order(1, "a2")),
        lambda: shop.call("DeleteItem", TableName="orders", Key=wire({"customer": "ada", "time": 2})),
        lambda: shop.put("orders", order(2, "b2")),
        lambda: shop.put("orders", order(1, "a3"), order(3, "c2")),
    ):
        states.append((shop.clock.now(), notes(shop, "orders")))
        shop.clock.advance(10)
        change()
    shop.clock.advance(BEHIND_S)

    for number, (time, found) in enumerate(states):
        given: Any = {"SourceTableName": "orders", "TargetTableName": f"then-{number}", "RestoreDateTime": time + 5}
        shop.call("RestoreTableToPointInTime", **given)
        assert notes(shop, f"then-{number}") == found
    shop.call(
        "RestoreTableToPointInTime", SourceTableName="orders", TargetTableName="now", UseLatestRestorableTime=True
    )
    assert notes(shop, "now") == notes(shop, "orders") == {1: "a3", 2: "b2", 3: "c2"}


class Writer:
    """Writes to the table `orders` at random: new orders, changed ones and deletions, also of the newest row."""

    def __init__(self, shop: Tables) -> None:
        self._shop = shop
        self._rng = random.Random(1)
        self._newest = MANY - 1

    async def write_until(self, done: asyncio.Future[Any]) -> int:
        """Write between the steps of what is under way, and return how often."""
        writes = 0
        await asyncio.sleep(0)  # it begins
        while not done.done():
            for _ in range(10):
                self._write()
                writes += 1
            await asyncio.sleep(0)
        return writes

    def _write(self) -> None:
        self._shop.clock.advance(0.001)
        self._delete(self._newest)  # the next row may have its number
        self._newest += 1
        self._shop.put("orders", order(self._newest, "new"), order(self._rng.randrange(MANY), "changed"))
        self._delete(self._rng.randrange(MANY))

    def _delete(self, time: int) -> None:
        self._shop.call("DeleteItem", TableName="orders", Key=wire({"customer": "ada", "time": time}))


async def test_a_backup_has_what_was_there_when_it_began(shop: Tables) -> None:
    """A copy of many items lets other requests run, and shows nothing of what they write; its source may change.

    A backup from which a table is being restored cannot be deleted.
    """
    shop.put("orders", *(order(time, "before") for time in range(MANY)))
    before, writer = notes(shop, "orders"), Writer(shop)

    backing = asyncio.ensure_future(shop.later("CreateBackup", TableName="orders", BackupName="first"))
    assert await writer.write_until(backing) > 10
    arn = backing.result()["BackupDetails"]["BackupArn"]
    restoring = asyncio.ensure_future(shop.later("RestoreTableFromBackup", TargetTableName="again", BackupArn=arn))
    await asyncio.sleep(0)
    code, _ = refusal(lambda: shop.call("DeleteBackup", BackupArn=arn))
    await restoring

    assert code == "BackupInUseException"

    assert notes(shop, "orders") != before
    assert notes(shop, "again") == before
    assert shop.call("DescribeTable", TableName="again")["Table"]["ItemCount"] == MANY


async def test_a_restore_to_a_time_has_what_was_there_then(shop: Tables) -> None:
    """Also when the table changes, and is deleted, while it is copied."""
    enabled = {"PointInTimeRecoveryEnabled": True}
    shop.call("UpdateContinuousBackups", TableName="orders", PointInTimeRecoverySpecification=enabled)
    shop.put("orders", *(order(time, "before") for time in range(MANY)))
    then, before, writer = shop.clock.now(), notes(shop, "orders"), Writer(shop)
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.02, done.set_result, None)
    await writer.write_until(done)
    shop.clock.advance(BEHIND_S)
    given: Any = {"SourceTableName": "orders", "RestoreDateTime": then}

    restoring = asyncio.ensure_future(shop.later("RestoreTableToPointInTime", TargetTableName="then", **given))
    await writer.write_until(asyncio.ensure_future(asyncio.sleep(0)))
    shop.call("DeleteTable", TableName="orders")
    await restoring

    assert notes(shop, "then") == before


def test_the_window_of_recovery(shop: Tables) -> None:
    """It begins when recovery is enabled, is 35 days long and ends five minutes ago; nothing else can be restored.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    source: Any = {"SourceTableName": "orders", "TargetTableName": "then"}
    assert refusal(lambda: shop.call("RestoreTableToPointInTime", **source, UseLatestRestorableTime=True)) == (
        "PointInTimeRecoveryUnavailableException",
        "Point in time recovery is not enabled for table 'orders'",
    )
    enabled = {"PointInTimeRecoveryEnabled": True}
    shop.call("UpdateContinuousBackups", TableName="orders", PointInTimeRecoverySpecification=enabled)
    start = shop.clock.now()
    shop.clock.advance(40 * 86400)

    described = shop.call("DescribeContinuousBackups", TableName="orders")["ContinuousBackupsDescription"]

    recovery = described["PointInTimeRecoveryDescription"]
    assert recovery["EarliestRestorableDateTime"] == start + 5 * 86400
    assert recovery["LatestRestorableDateTime"] == shop.clock.now() - BEHIND_S
    for time in (start, shop.clock.now() - BEHIND_S + 1):
        code, _ = refusal(partial(shop.call, "RestoreTableToPointInTime", **source, RestoreDateTime=time))
        assert code == "InvalidRestoreTimeException"


def test_recovery_that_has_just_begun(shop: Tables) -> None:
    """The latest time is that of its beginning until five minutes have passed, and nothing later is restored."""
    shop.put("orders", order(1, "before"))
    enabled = {"PointInTimeRecoveryEnabled": True}
    shop.call("UpdateContinuousBackups", TableName="orders", PointInTimeRecoverySpecification=enabled)
    shop.clock.advance(1)
    shop.put("orders", order(1, "after"))

    shop.call(
        "RestoreTableToPointInTime", SourceTableName="orders", TargetTableName="then", UseLatestRestorableTime=True
    )

    assert notes(shop, "then") == {1: "before"}


def test_a_deleted_table_leaves_a_system_backup(shop: Tables) -> None:
    """Point-in-time recovery keeps the last state of a table for 35 days; then it expires. Without it nothing is kept.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    shop.put("orders", order(1, "a"), order(2, "b"))
    enabled = {"PointInTimeRecoveryEnabled": True}
    shop.call("UpdateContinuousBackups", TableName="orders", PointInTimeRecoverySpecification=enabled)
    shop.call("DeleteTable", TableName="orders")
    deleted_at = shop.clock.now()

    assert shop.call("ListBackups", TableName="orders")["BackupSummaries"] == []
    (found,) = shop.call("ListBackups", TableName="orders", BackupType="SYSTEM")["BackupSummaries"]
    assert found["BackupName"] == "orders$DeletedTableBackup"
    assert found["BackupExpiryDateTime"] == deleted_at + 35 * 86400
    shop.call("RestoreTableFromBackup", TargetTableName="orders", BackupArn=found["BackupArn"])
    assert notes(shop, "orders") == {1: "a", 2: "b"}

    shop.call("DeleteTable", TableName="orders")
    shop.clock.advance(35 * 86400)
    assert shop.call("ListBackups", TableName="orders", BackupType="ALL")["BackupSummaries"] == []
    assert refusal(lambda: shop.call("DescribeBackup", BackupArn=found["BackupArn"]))[0] == "BackupNotFoundException"


def test_the_settings_of_a_restored_table(shop: Tables) -> None:
    """Time to live, recovery, tags and deletion protection are not restored.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CreateBackup.html
    """
    enabled = {"PointInTimeRecoveryEnabled": True}
    shop.call("UpdateContinuousBackups", TableName="orders", PointInTimeRecoverySpecification=enabled)
    expiry = {"AttributeName": "expires", "Enabled": True}
    shop.call("UpdateTimeToLive", TableName="orders", TimeToLiveSpecification=expiry)
    shop.call("UpdateTable", TableName="orders", DeletionProtectionEnabled=True)
    table_arn = shop.call("DescribeTable", TableName="orders")["Table"]["TableArn"]
    shop.call("TagResource", ResourceArn=table_arn, Tags=[{"Key": "team", "Value": "bar"}])
    arn = shop.call("CreateBackup", TableName="orders", BackupName="first")["BackupDetails"]["BackupArn"]

    shop.call("RestoreTableFromBackup", TargetTableName="again", BackupArn=arn)

    table = shop.call("DescribeTable", TableName="again")["Table"]
    recovery = shop.call("DescribeContinuousBackups", TableName="again")["ContinuousBackupsDescription"]
    assert shop.call("DescribeTimeToLive", TableName="again")["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert recovery["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}
    assert shop.call("ListTagsOfResource", ResourceArn=table["TableArn"])["Tags"] == []
    assert not table.get("DeletionProtectionEnabled")


@pytest.mark.parametrize("action", ["CreateBackup", "DescribeContinuousBackups"])
def test_a_table_that_does_not_exist(tables: Tables, action: str) -> None:
    """Backups have an error for it of another name."""
    given = {"BackupName": "first"} if action == "CreateBackup" else {}

    assert refusal(lambda: tables.call(action, TableName="nope", **given)) == (
        "TableNotFoundException",
        "Table not found: nope",
    )
