"""CreateTable, UpdateTable, DescribeTable, DeleteTable, ListTables, time to live and tags.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html has the rules; the texts are those
that dynalite's tests recorded from AWS.
"""

# ruff: noqa: E501 (AWS's texts, a case a line)

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from support.dynamodb import ON_DEMAND, Tables, index, key_schema, refusal, wire

INVALID = "One or more parameter values were invalid: "
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
PROVISIONED: dict[str, Any] = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}


def definitions(*names: str) -> dict[str, Any]:
    """Attributes of type S."""
    return {"AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names]}


ONE: dict[str, Any] = {**definitions("id"), "KeySchema": key_schema("id"), **ON_DEMAND}
TWO: dict[str, Any] = {**definitions("id", "r", "q"), "KeySchema": key_schema("id", "r"), **ON_DEMAND}
GLOBAL, LOCAL = "GlobalSecondaryIndexes", "LocalSecondaryIndexes"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (ONE | {"TableName": "ab"}, "TableName must be at least 3 characters long and at most 255 characters long"),
        (ONE | {"TableName": "a b"}, "1 validation error detected: Value 'a b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        (ONE | {"BillingMode": "PROVISIONED"}, f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"),
        (ONE | {"ProvisionedThroughput": UNITS}, f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"),
        (ONE | {"KeySchema": key_schema("id", "r")}, "Invalid KeySchema: Some index key attribute have no definition"),
        (ONE | definitions("id", "r"), f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"),
        (ONE | definitions("x"), f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. Keys: [id], AttributeDefinitions: [x]"),
        (TWO | {"KeySchema": key_schema("id", "id")}, "Both the Hash Key and the Range Key element in the KeySchema have the same name"),
        (TWO | {"KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]}, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
        (TWO, f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"),
        (TWO | {LOCAL: []}, f"{INVALID}List of LocalSecondaryIndexes is empty"),
        (TWO | {GLOBAL: []}, f"{INVALID}List of GlobalSecondaryIndexes is empty"),
        (ONE | definitions("id", "q") | {LOCAL: [index("lsi", "id", "q", "ALL")]}, f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"),
        (TWO | {LOCAL: [index("lsi", "r", "q", "ALL")]}, f"{INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: lsi. index hash key: r, table hash key: id"),
        (TWO | {LOCAL: [index("lsi", "id", "ALL")]}, f"{INVALID}Index KeySchema does not have a range key for index: lsi"),
        (TWO | {LOCAL: [index("lsi", "id", "q", "ALL")] * 2}, f"{INVALID}Duplicate index name: lsi"),
        (TWO | {LOCAL: [index(f"lsi{n}", "id", "q", "ALL") for n in range(6)]}, f"{INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
        (TWO | {GLOBAL: [index(f"gsi{n}", "q", "ALL") for n in range(21)]}, f"{INVALID}GlobalSecondaryIndex count exceeds the per-table limit of 20"),
        (TWO | {GLOBAL: [index("gsi", "q", "ALL") | {"Projection": {}}]}, f"{INVALID}Unknown ProjectionType: null"),
        (TWO | {GLOBAL: [index("gsi", "q", "ALL") | {"Projection": {"ProjectionType": "ALL", "NonKeyAttributes": ["x"]}}]}, f"{INVALID}ProjectionType is ALL, but NonKeyAttributes is specified"),
        (TWO | {GLOBAL: [index("gsi", "q", "ALL") | {"ProvisionedThroughput": UNITS}]}, f"{INVALID}ProvisionedThroughput should not be specified for index: gsi when BillingMode is PAY_PER_REQUEST"),
        (TWO | {GLOBAL: [index("gsi", "r", "ALL")]}, f"{INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: [id, q, r], keys used: [id, r]"),
        (TWO | PROVISIONED | {GLOBAL: [index("gsi", "q", "ALL")]}, f"{INVALID}ProvisionedThroughput must be specified for index: gsi"),
        (ONE | {"ProvisionedThroughput": UNITS | {"ReadCapacityUnits": 0}}, "1 validation error detected: Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ],
)  # fmt: skip
def test_invalid_definitions(tables: Tables, given: dict[str, Any], text: str) -> None:
    """Each is refused with AWS's message, and no table is made."""
    assert refusal(lambda: tables.call("CreateTable", **{"TableName": "tbl", **given})) == ("ValidationException", text)

    assert tables.call("ListTables") == {"TableNames": []}


@pytest.mark.parametrize(
    "given",
    [
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
        {"ResourcePolicy": "{}"},
        {"GlobalTableSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t"},
    ],
)
def test_what_is_missing_is_refused(tables: Tables, given: dict[str, Any]) -> None:
    """Nothing is accepted and ignored; the error names an engine that has it."""
    code, message = refusal(lambda: tables.call("CreateTable", TableName="tbl", **ONE, **given))

    assert (code, "--backend ministack" in message) == ("NotImplemented", True)
    assert refusal(lambda: tables.call("ListExports"))[0] == "NotImplemented"


def test_a_table_s_description(shop: Tables) -> None:
    """It is as AWS's, from LocalStack's recorded answers; an answer to a change shows the state that AWS begins with."""
    table = shop.call("DescribeTable", TableName="orders")["Table"]

    assert table.pop("CreationDateTime") == shop.clock.now()
    assert len(table.pop("TableId")) == 36
    assert table.pop("BillingModeSummary")["BillingMode"] == "PAY_PER_REQUEST"
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
    on_demand = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    counts = {"IndexSizeBytes": 0, "ItemCount": 0}
    assert table == {
        "TableName": "orders",
        "TableStatus": "ACTIVE",
        "TableArn": arn,
        "AttributeDefinitions": [
            {"AttributeName": "customer", "AttributeType": "S"},
            {"AttributeName": "status", "AttributeType": "S"},
            {"AttributeName": "time", "AttributeType": "N"},
            {"AttributeName": "total", "AttributeType": "N"},
        ],
        "KeySchema": key_schema("customer", "time"),
        "ProvisionedThroughput": on_demand,
        "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
        "DeletionProtectionEnabled": False,
        "ItemCount": 0,
        "TableSizeBytes": 0,
        LOCAL: [{**index("by-total", "customer", "total", ["note"]), **counts, "IndexArn": f"{arn}/index/by-total"}],
        GLOBAL: [
            {
                **index("by-status", "status", "time", "KEYS_ONLY"),
                **counts,
                "IndexArn": f"{arn}/index/by-status",
                "IndexStatus": "ACTIVE",
                "ProvisionedThroughput": on_demand,
            }
        ],
    }
    created = shop.call("CreateTable", TableName="other", **ONE)["TableDescription"]
    deleted = shop.call("DeleteTable", TableName="other")["TableDescription"]
    assert (created["TableStatus"], deleted["TableStatus"]) == ("CREATING", "DELETING")


def test_counts_are_exact(shop: Tables) -> None:
    """Items and bytes of the table and of each index follow every write."""
    item = {"customer": "ada", "time": 1, "status": "new", "total": 5}
    shop.put("orders", item, item | {"time": 2}, {"customer": "ada", "time": 3})
    shop.put("orders", {"customer": "ada", "time": 2})
    shop.call("DeleteItem", TableName="orders", Key=wire({"customer": "ada", "time": 3}))

    table = shop.call("DescribeTable", TableName="orders")["Table"]

    assert (table["ItemCount"], table["TableSizeBytes"]) == (2, (11 + 6 + 9 + 7) + (11 + 6))
    assert [index["ItemCount"] for index in (*table[GLOBAL], *table[LOCAL])] == [1, 1]


def test_names_are_taken_and_unknown_ones_named(tables: Tables) -> None:
    """The errors are AWS's."""
    tables.call("CreateTable", TableName="tbl", **ONE)

    assert refusal(lambda: tables.call("CreateTable", TableName="tbl", **ONE)) == (
        "ResourceInUseException",
        "Table already exists: tbl",
    )
    for action in ("DescribeTable", "DeleteTable", "DescribeTimeToLive"):
        assert refusal(partial(tables.call, action, TableName="nope")) == (
            "ResourceNotFoundException",
            "Requested resource not found: Table: nope not found",
        )


def test_tables_are_listed_in_pages(tables: Tables) -> None:
    """By name; each account and region has its own."""
    for name in ("c-table", "a-table", "b-table"):
        tables.call("CreateTable", TableName=name, **ONE)

    first = tables.call("ListTables", Limit=2)

    assert first == {"TableNames": ["a-table", "b-table"], "LastEvaluatedTableName": "b-table"}
    assert tables.call("ListTables", ExclusiveStartTableName="b-table") == {"TableNames": ["c-table"]}


def test_an_index_is_made_from_the_items(shop: Tables) -> None:
    """UpdateTable adds an index with the items whose attribute has its type, and deletes one."""
    shop.put("orders", {"customer": "ada", "time": 1, "note": "x"}, {"customer": "bob", "time": 2, "note": 5})
    create = {"Create": index("by-note", "note", "ALL")}
    given: Any = {**definitions("note"), "GlobalSecondaryIndexUpdates": [create]}

    assert shop.call("UpdateTable", TableName="orders", **given)["TableDescription"]["TableStatus"] == "UPDATING"

    query: Any = {"TableName": "orders", "IndexName": "by-note", "KeyConditionExpression": "note = :x"}
    assert shop.all("Query", **query, ExpressionAttributeValues={":x": {"S": "x"}}) == [
        {"customer": "ada", "time": 1, "note": "x"}
    ]
    shop.call("UpdateTable", TableName="orders", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-note"}}])
    shop.put("orders", {"customer": "eve", "time": 3, "note": 7})
    assert refusal(lambda: shop.call("Query", **query, ExpressionAttributeValues={":x": {"S": "x"}})) == (
        "ValidationException",
        "The table does not have the specified index: by-note",
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"),
        ({"BillingMode": "PROVISIONED"}, f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED"),
        ({"GlobalSecondaryIndexUpdates": [{}]}, f"{INVALID}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"),
        ({"GlobalSecondaryIndexUpdates": [{"Create": index("by-status", "status", "ALL")}]}, "Attempting to create an index which already exists: by-status"),
        ({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-status"}}] * 2}, f"{INVALID}Only one global secondary index update per index is allowed simultaneously. Index: by-status"),
    ],
)  # fmt: skip
def test_invalid_updates(shop: Tables, given: dict[str, Any], text: str) -> None:
    """Each has AWS's message."""
    assert refusal(lambda: shop.call("UpdateTable", TableName="orders", **given)) == ("ValidationException", text)


def test_billing_changes(tables: Tables) -> None:
    """From provisioned to on demand and back."""
    tables.call("CreateTable", TableName="tbl", **ONE | PROVISIONED)
    assert "BillingModeSummary" not in tables.call("DescribeTable", TableName="tbl")["Table"]

    tables.call("UpdateTable", TableName="tbl", BillingMode="PAY_PER_REQUEST")

    table = tables.call("DescribeTable", TableName="tbl")["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 0
    tables.call("UpdateTable", TableName="tbl", **PROVISIONED)
    assert tables.call("DescribeTable", TableName="tbl")["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    code, message = refusal(lambda: tables.call("UpdateTable", TableName="tbl", ProvisionedThroughput=UNITS))
    assert (code, message.startswith("The provisioned throughput for the table will not change.")) == (
        "ValidationException",
        True,
    )


def test_a_protected_table(tables: Tables) -> None:
    """It cannot be deleted until its protection ends."""
    tables.call("CreateTable", TableName="tbl", **ONE, DeletionProtectionEnabled=True)
    assert refusal(lambda: tables.call("DeleteTable", TableName="tbl"))[0] == "ValidationException"

    tables.call("UpdateTable", TableName="tbl", DeletionProtectionEnabled=False)

    tables.call("DeleteTable", TableName="tbl")


def test_items_expire(tables: Tables) -> None:
    """By the engine's clock, also those that were there before, and not those that expired five years ago.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
    """
    now = int(tables.clock.now())
    tables.create("tbl", "id:S")
    tables.put("tbl", {"id": "before", "ends": now + 60}, {"id": "never"}, {"id": "text", "ends": "soon"})
    tables.put("tbl", {"id": "old", "ends": now - 6 * 365 * 86400})
    wanted = {"AttributeName": "ends", "Enabled": True}
    assert tables.call("UpdateTimeToLive", TableName="tbl", TimeToLiveSpecification=wanted) == {
        "TimeToLiveSpecification": wanted
    }
    tables.put("tbl", *({"id": f"later-{n}", "ends": now + 90 + n} for n in range(3)), {"id": "past", "ends": now - 5})
    tables.put("tbl", {"id": "later-2", "ends": now + 900})

    tables.clock.advance(91)

    assert {item["id"] for item in tables.all("Scan", TableName="tbl")} == {"never", "text", "old", "later-2"}
    tables.call("UpdateTimeToLive", TableName="tbl", TimeToLiveSpecification=wanted | {"Enabled": False})
    tables.clock.advance(10_000)
    assert tables.call("Scan", TableName="tbl", Select="COUNT")["Count"] == 4
    assert refusal(
        lambda: tables.call("UpdateTimeToLive", TableName="tbl", TimeToLiveSpecification=wanted | {"Enabled": False})
    ) == ("ValidationException", "TimeToLive is already disabled")


def test_tags(tables: Tables) -> None:
    """They are set, listed and removed by the table's ARN."""
    tag = {"Key": "team", "Value": "shop"}
    arn = tables.call("CreateTable", TableName="tbl", **ONE, Tags=[tag])["TableDescription"]["TableArn"]

    tables.call("TagResource", ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    tables.call("UntagResource", ResourceArn=arn, TagKeys=["team"])

    assert tables.call("ListTagsOfResource", ResourceArn=arn) == {"Tags": [{"Key": "stage", "Value": "test"}]}
