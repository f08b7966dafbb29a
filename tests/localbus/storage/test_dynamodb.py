"""Tables of an engine that is killed at any point of any action, and on a full disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from localbus.protocol.service import Caller
from localbus.storage.durable import DurableStorage
from support.durable import DurableEngine, Moment
from support.killed_engine import MOMENTS, KilledEngine

TABLES = ["plain", "full"]
MANY = 8_000
TOKEN = "0123456789-token"


def everything(durable: DurableEngine) -> dict[str, Any]:
    """Return all that the tables' actions show, and each table's index entries."""
    found: dict[str, Any] = {}
    for name in durable.call("dynamodb", "ListTables")["TableNames"]:
        described = durable.call("dynamodb", "DescribeTable", TableName=name)["Table"]
        items = durable.call("dynamodb", "Scan", TableName=name)["Items"]
        indexed = {
            index["IndexName"]: durable.call("dynamodb", "Scan", TableName=name, IndexName=index["IndexName"])["Items"]
            for index in described.get("GlobalSecondaryIndexes", [])
        }
        more = [
            durable.call("dynamodb", action, **{member: described["TableArn"] if member == "ResourceArn" else name})
            for action, member in [
                ("DescribeTimeToLive", "TableName"),
                ("DescribeContinuousBackups", "TableName"),
                ("ListTagsOfResource", "ResourceArn"),
            ]
        ]
        found[name] = [described, items, indexed, more]
    found["backups"] = durable.call("dynamodb", "ListBackups", BackupType="ALL").get("BackupSummaries")
    return found


class KilledTables(KilledEngine):
    """Any actions on tables; each may be the one in which the engine is killed."""

    @initialize()
    def start(self) -> None:
        """Create the tables."""
        self.begin()
        for name in TABLES:
            self.do("create", name)

    def everything(self) -> dict[str, Any]:
        """Return all that the tables' actions show."""
        return everything(self.durable)

    @rule(
        kill=st.sampled_from([None, None, *MOMENTS]),
        action=st.one_of(
            st.tuples(st.just("create"), st.sampled_from([*TABLES, "third"])),
            st.tuples(st.just("drop"), st.sampled_from(["full", "third", "restored"])),
            st.tuples(st.just("put"), st.sampled_from(TABLES), st.integers(0, 8), st.sampled_from([None, 5, 400])),
            st.tuples(st.just("update"), st.sampled_from(TABLES), st.integers(0, 8)),
            st.tuples(st.just("delete"), st.sampled_from(TABLES), st.integers(0, 8)),
            st.tuples(st.just("insert"), st.sampled_from(TABLES), st.integers(0, 8)),
            st.tuples(st.just("transact"), st.sampled_from(TABLES), st.integers(0, 8)),
            st.tuples(st.just("index"), st.sampled_from(TABLES), st.booleans()),
            st.tuples(st.just("ttl"), st.sampled_from(TABLES), st.booleans()),
            st.tuples(st.just("recovery"), st.sampled_from(TABLES), st.booleans()),
            st.tuples(st.just("tag"), st.sampled_from(TABLES), st.booleans()),
            st.tuples(st.just("backup"), st.sampled_from(TABLES)),
            st.tuples(st.just("restore")),
            st.tuples(st.just("restore at"), st.sampled_from(TABLES), st.integers(0, 100)),
            st.tuples(st.just("advance"), st.sampled_from([1, 100, 700])),
        ),
    )
    def act(self, kill: Moment | None, action: tuple[Any, ...]) -> None:
        """Act, and compare the engine before and after the kill, if there is one."""
        if kill is None:
            self.do(*action)
        else:
            self.kill_in(kill, lambda: self.do(*action))

    def do(self, kind: str, *given: Any) -> dict[str, Any]:  # noqa: PLR0911, PLR0912 (a table of actions)
        """Do one action."""
        name, now = (given or [""])[0], self.durable.clock.now()

        def call(action: str, **params: Any) -> dict[str, Any]:
            return self.durable.call("dynamodb", action, **params)

        def put(number: int, text: str, **more: Any) -> dict[str, Any]:
            return {"id": {"S": str(number)}, "text": {"S": text}, **more}

        match (kind, *given):
            case "create", _:
                return call("CreateTable", TableName=name, **definition())
            case "drop", _:
                return call("DeleteTable", TableName=name)
            case "put", _, int(number), ttl:
                expires = {} if ttl is None else {"expires": {"N": str(int(now) + ttl)}}
                return call("PutItem", TableName=name, Item=put(number, "put", group={"S": "g"}, **expires))
            case "update", _, int(number):
                updated = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
                return call("UpdateItem", TableName=name, Key={"id": {"S": str(number)}}, **updated)
            case "delete", _, int(number):
                return call("DeleteItem", TableName=name, Key={"id": {"S": str(number)}})
            case "insert", _, int(number):
                statements = [
                    {"Statement": f"INSERT INTO \"{name}\" VALUE {{'id': '{number + at}', 'text': 'inserted'}}"}
                    for at in range(5)
                ]
                return call("BatchExecuteStatement", Statements=statements)
            case "transact", _, int(number):
                puts = [{"Put": {"TableName": each, "Item": put(number, "transacted")}} for each in TABLES]
                return call("TransactWriteItems", TransactItems=puts, ClientRequestToken=f"{TOKEN}{number}{name}")
            case "index", _, bool(there):
                removed = {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-text"}}]}
                return call("UpdateTable", TableName=name, **(new_index() if there else removed))
            case "ttl", _, bool(there):
                wanted = {"AttributeName": "expires", "Enabled": there}
                return call("UpdateTimeToLive", TableName=name, TimeToLiveSpecification=wanted)
            case "recovery", _, bool(there):
                wanted = {"PointInTimeRecoveryEnabled": there}
                return call("UpdateContinuousBackups", TableName=name, PointInTimeRecoverySpecification=wanted)
            case "tag", _, bool(there):
                arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
                if there:
                    return call("TagResource", ResourceArn=arn, Tags=[{"Key": "k", "Value": str(now)}])
                return call("UntagResource", ResourceArn=arn, TagKeys=["k"])
            case "backup", _:
                return call("CreateBackup", TableName=name, BackupName="a-backup")
            case ("restore",):
                backups = call("ListBackups", BackupType="ALL")["BackupSummaries"]
                if backups:
                    arn = backups[0]["BackupArn"]
                    return call("RestoreTableFromBackup", TargetTableName="restored", BackupArn=arn)
            case "restore at", _, int(ago):
                times = {"SourceTableName": name, "TargetTableName": "restored", "RestoreDateTime": now - ago}
                return call("RestoreTableToPointInTime", **times)
            case "advance", int(seconds):
                self.durable.advance(seconds)
            case _:
                raise AssertionError(kind)
        return {}


def definition() -> dict[str, Any]:
    """Return CreateTable's input for a table with an index."""
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    group = [{"AttributeName": "group", "KeyType": "HASH"}]
    index = {"IndexName": "by-group", "KeySchema": group, "Projection": {"ProjectionType": "ALL"}}
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "group")]
    rest = {"BillingMode": "PAY_PER_REQUEST", "GlobalSecondaryIndexes": [index]}
    return {"KeySchema": keys, "AttributeDefinitions": types, **rest}


def new_index() -> dict[str, Any]:
    """Return UpdateTable's input for another index."""
    schema = [{"AttributeName": "text", "KeyType": "HASH"}]
    made = {"IndexName": "by-text", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    types = [{"AttributeName": "text", "AttributeType": "S"}]
    return {"AttributeDefinitions": types, "GlobalSecondaryIndexUpdates": [{"Create": made}]}


TestKilledTables = KilledTables.TestCase
TestKilledTables.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_a_token_of_a_transaction_is_known_after_a_kill(tmp_path: Path) -> None:
    """The same request again, within ten minutes and after a restart, changes nothing."""
    with DurableEngine(tmp_path) as durable:
        durable.call("dynamodb", "CreateTable", TableName="plain", **definition())
        add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
        parts = [{"Update": {"TableName": "plain", "Key": {"id": {"S": "a"}}, **add}}]
        durable.call("dynamodb", "TransactWriteItems", TransactItems=parts, ClientRequestToken=TOKEN)
        durable.kill()

        durable.call("dynamodb", "TransactWriteItems", TransactItems=parts, ClientRequestToken=TOKEN)

        assert durable.call("dynamodb", "GetItem", TableName="plain", Key={"id": {"S": "a"}})["Item"]["n"] == {"N": "1"}


def put_many(durable: DurableEngine, count: int = MANY) -> None:
    """Create a table with many items."""
    durable.call("dynamodb", "CreateTable", TableName="plain", **definition())
    for at in range(0, count, 25):
        items = [{"id": {"S": f"{number:05}"}, "text": {"S": "t"}} for number in range(at, at + 25)]
        puts = [{"PutRequest": {"Item": item}} for item in items]
        durable.call("dynamodb", "BatchWriteItem", RequestItems={"plain": puts})


def test_many_items_of_a_deleted_table_go_in_the_background_also_after_a_kill(tmp_path: Path) -> None:
    """The table itself is gone at once, another can have its name, and in the end nothing is left of its items."""
    with DurableEngine(tmp_path) as durable:
        put_many(durable, MANY // 2)

        durable.call("dynamodb", "DeleteTable", TableName="plain")
        durable.kill()
        left = tables_of_rows(durable)
        created = durable.call("dynamodb", "CreateTable", TableName="plain", **definition())
        while len(tables_of_rows(durable)) > 1:
            found = durable.call("dynamodb", "Scan", TableName="plain")

        assert len(left) == 1
        assert created["TableDescription"]["ItemCount"] == 0
        assert found["Count"] == 0
        assert tables_of_rows(durable).isdisjoint(left)


def tables_of_rows(durable: DurableEngine) -> set[str]:
    """Return SQLite's tables for items."""
    storage = durable.engine.storage
    assert isinstance(storage, DurableStorage)
    names = storage.connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 't[0-9]*' AND type = 'table'")
    return {name for (name,) in names}


def test_an_index_of_many_items_is_filled_in_the_background_also_after_a_kill(tmp_path: Path) -> None:
    """Meanwhile the table is UPDATING, the index cannot be read, and an item that is written is in it once."""
    with DurableEngine(tmp_path) as durable:
        put_many(durable)
        by_text = {"TableName": "plain", "IndexName": "by-text"}

        created = durable.call("dynamodb", "UpdateTable", TableName="plain", **new_index())
        durable.kill()
        refused = durable.call("dynamodb", "Scan", **by_text)
        again = durable.call("dynamodb", "UpdateTable", TableName="plain", BillingMode="PAY_PER_REQUEST")
        item = {"id": {"S": f"{MANY - 1:05}"}, "text": {"S": "t"}, "more": {"S": "x"}}
        durable.call("dynamodb", "PutItem", TableName="plain", Item=item)
        statuses: list[str] = []
        while not statuses or statuses[-1] != "ACTIVE":
            described = durable.call("dynamodb", "DescribeTable", TableName="plain")["Table"]
            statuses.append(described["TableStatus"])
        found = durable.call("dynamodb", "Scan", Select="COUNT", **by_text)

        assert created["TableDescription"]["TableStatus"] == "UPDATING"
        assert refused["message"] == "Cannot read from backfilling global secondary index: by-text"
        assert again["__type"].endswith("ResourceInUseException")
        assert [index["ItemCount"] for index in described["GlobalSecondaryIndexes"]] == [0, MANY]
        assert found["Count"] == MANY


def test_a_full_disk_undoes_whole_writes(tmp_path: Path) -> None:
    """A write that the disk has no room for is answered 503 and is not there; counts and reads stay exact."""
    with DurableEngine(tmp_path) as durable:
        durable.call("dynamodb", "CreateTable", TableName="plain", **definition())
        item = {"id": {"S": "before"}, "text": {"S": "x"}}
        durable.call("dynamodb", "PutItem", TableName="plain", Item=item)
        storage = durable.engine.storage
        assert isinstance(storage, DurableStorage)
        storage.connection.execute("PRAGMA max_page_count = 1")

        large = {"id": {"S": "refused"}, "text": {"S": "x" * 390_000}}
        refused = durable.call("dynamodb", "PutItem", TableName="plain", Item=large)
        created = durable.call("dynamodb", "CreateTable", TableName="another", **definition())
        seen = everything(durable)
        storage.connection.execute("PRAGMA max_page_count = 100000")
        durable.call("dynamodb", "PutItem", TableName="plain", Item=item | {"id": {"S": "after"}})
        durable.kill()

        assert refused["__type"] == created["__type"] == "ServiceUnavailable"
        assert seen["plain"][0]["ItemCount"] == 1
        assert seen["plain"][1] == [item]
        assert "another" not in seen
        table = durable.engine.dynamodb.table("plain", Caller())
        assert table.item_count == 2
        assert {each["id"]["S"] for each in everything(durable)["plain"][1]} == {"before", "after"}
