"""Query and Scan: ranges, indexes, pages, segments and what they refuse.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html has the rules; the texts are those that
dynalite's tests recorded from AWS, or of Amazon's DynamoDB Local 3.3.
"""

# ruff: noqa: E501 (AWS's texts, a case a line)

from __future__ import annotations

from typing import Any

import pytest
from support.dynamodb import Tables, plain, refusal, wire

ADA: Any = {
    "TableName": "orders",
    "KeyConditionExpression": "customer = :c",
    "ExpressionAttributeValues": {":c": {"S": "ada"}},
}


@pytest.fixture
def orders(shop: Tables) -> Tables:
    """Ten orders of ada, at -3 to 6, and one of bob."""
    items = [
        {
            "customer": "ada",
            "time": n - 3,
            "status": ("new", "done")[n % 2],
            "total": n * 7 % 10,
            "note": f"n{n}",
            "x": "y",
        }
        for n in range(10)
    ]
    shop.put("orders", *items, {"customer": "bob", "time": 1, "status": "new"})
    return shop


def times(tables: Tables, *, by: str = "", values: dict[str, Any] | None = None, **given: Any) -> list[int]:
    """The times of ada's orders by a condition on the sort key."""
    condition = ADA["KeyConditionExpression"] + (f" AND {by}" if by else "")
    all_values = ADA["ExpressionAttributeValues"] | {f":{key}": value for key, value in wire(values or {}).items()}
    members: Any = ADA | {"KeyConditionExpression": condition, "ExpressionAttributeValues": all_values} | given
    if "#t" in condition:
        members["ExpressionAttributeNames"] = {"#t": "time"}
    return [item["time"] for item in tables.all("Query", **members)]


@pytest.mark.parametrize(
    ("by", "values", "found"),
    [
        ("", {}, [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6]),
        ("#t = :a", {"a": 2}, [2]),
        ("#t < :a", {"a": -1}, [-3, -2]),
        ("#t <= :a", {"a": -1}, [-3, -2, -1]),
        ("#t > :a", {"a": 4}, [5, 6]),
        ("#t >= :a", {"a": 4}, [4, 5, 6]),
        ("#t BETWEEN :a AND :b", {"a": -1, "b": 1.5}, [-1, 0, 1]),
    ],
)
def test_ranges_of_numbers(orders: Tables, by: str, values: dict[str, Any], found: list[int]) -> None:
    """Forward, backward and in pages of one."""
    assert times(orders, by=by, values=values) == found
    assert times(orders, by=by, values=values, ScanIndexForward=False) == found[::-1]
    assert times(orders, by=by, values=values, Limit=1) == found
    assert times(orders, by=by, values=values, Limit=1, ScanIndexForward=False) == found[::-1]


def test_texts_that_begin_with_others(tables: Tables) -> None:
    """begins_with goes by characters, also those of several bytes, and the last ones of Unicode."""
    tables.create("tbl", "p:S", "s:S")
    texts = ["a", "ab", "abc", "b", "é", "éa", "\U0010ffff", "\U0010ffff!"]
    tables.put("tbl", *({"p": "x", "s": text} for text in texts))

    def found(prefix: str) -> list[str]:
        given: Any = {"KeyConditionExpression": "p = :p AND begins_with(s, :s)", "TableName": "tbl"}
        values = {":p": {"S": "x"}, ":s": {"S": prefix}}
        return [item["s"] for item in tables.all("Query", **given, ExpressionAttributeValues=values)]

    assert (found("ab"), found("é"), found("\U0010ffff")) == (["ab", "abc"], ["é", "éa"], ["\U0010ffff", "\U0010ffff!"])


def test_a_global_index(orders: Tables) -> None:
    """Its items have the keys only; the place in a page is both keys; equal keys of several items are kept apart."""
    query: Any = {"TableName": "orders", "IndexName": "by-status", "KeyConditionExpression": "#s = :s"}
    query |= {"ExpressionAttributeNames": {"#s": "status"}, "ExpressionAttributeValues": {":s": {"S": "new"}}}

    page = orders.call("Query", Limit=2, **query)

    first = {"customer": "ada", "status": "new"}
    assert [plain(item) for item in page["Items"]] == [first | {"time": -3}, first | {"time": -1}]
    assert plain(page["LastEvaluatedKey"]) == first | {"time": -1}
    for limit in (1, 2, 100):
        found = orders.all("Query", Limit=limit, **query)
        assert [item["time"] for item in found] == [-3, -1, 1, 1, 3, 5]
        assert {item["customer"] for item in found if item["time"] == 1} == {"ada", "bob"}


def test_a_local_index(orders: Tables) -> None:
    """In the order of its sort key, with the attributes that it includes, or all of them from the table."""
    query: Any = ADA | {"IndexName": "by-total", "Limit": 3}

    included = [plain(item) for item in orders.call("Query", **query)["Items"]]
    whole = [plain(item) for item in orders.call("Query", **query, Select="ALL_ATTRIBUTES")["Items"]]

    assert [item["total"] for item in included] == [0, 1, 2]
    assert set(included[0]) == {"customer", "time", "total", "note"}
    assert set(whole[0]) == {"customer", "time", "total", "note", "status", "x"}
    reached = [plain(item) for item in orders.call("Query", **query, ProjectionExpression="x")["Items"]]
    assert reached == [{"x": "y"}] * 3


def test_filters_apply_after_the_page(orders: Tables) -> None:
    """Limit counts what is read, and Count what is left."""
    values = {":n": {"S": "n3"}}
    members: Any = {"FilterExpression": "note = :n", "Limit": 2, "TableName": "orders", "Select": "COUNT"}

    page = orders.call(
        "Query", **ADA | members | {"ExpressionAttributeValues": ADA["ExpressionAttributeValues"] | values}
    )

    assert (page["Count"], page["ScannedCount"], "Items" in page) == (0, 2, False)
    assert plain(page["LastEvaluatedKey"]) == {"customer": "ada", "time": -2}
    whole = {name: value for name, value in members.items() if name not in {"Limit", "Select"}}
    assert len(orders.all("Scan", **whole, ExpressionAttributeValues=values)) == 1


def test_a_page_ends_after_1_mb(tables: Tables) -> None:
    """The item that reaches 1 MB is its last one; a page that ends with the table has no key for the next."""
    tables.create("tbl", "p:S", "n:N")
    tables.put("tbl", *({"p": "x", "n": n, "v": "v" * 100_000} for n in range(22)))
    query: Any = {
        "TableName": "tbl",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": {"S": "x"}},
    }

    page = tables.call("Query", **query)

    assert (page["Count"], page["LastEvaluatedKey"]["n"]) == (11, {"N": "10"})
    last = tables.call("Query", **query, ExclusiveStartKey=page["LastEvaluatedKey"])
    assert (last["Count"], "LastEvaluatedKey" in last) == (11, False)
    assert len(tables.all("Scan", TableName="tbl")) == 22


def test_a_start_key_need_not_exist(orders: Tables) -> None:
    """A page goes on after the key of an item that was deleted meanwhile."""
    page = orders.call("Query", **ADA, Limit=3)
    orders.call("DeleteItem", TableName="orders", Key=page["LastEvaluatedKey"])

    following = orders.call("Query", **ADA, Limit=1, ExclusiveStartKey=page["LastEvaluatedKey"])

    assert plain(following["Items"][0])["time"] == 0


@pytest.mark.parametrize("total", [1, 2, 3, 7])
@pytest.mark.parametrize("index", [{}, {"IndexName": "by-status"}])
def test_segments_share_a_scan(orders: Tables, total: int, index: dict[str, str]) -> None:
    """Each item is in exactly one segment, also in pages, and a partition is in one of them."""
    parts = [
        orders.all("Scan", TableName="orders", Segment=n, TotalSegments=total, Limit=2, **index) for n in range(total)
    ]

    whole = orders.all("Scan", TableName="orders", **index)
    assert sorted(map(repr, whole)) == sorted(repr(item) for part in parts for item in part)
    partition = "status" if index else "customer"
    owners = [{item[partition] for item in part} for part in parts]
    assert sum(map(len, owners)) == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"IndexName": "nope"}, "The table does not have the specified index: nope"),
        ({"FilterExpression": "customer = :c"}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: customer"),
        ({"Select": "SPECIFIC_ATTRIBUTES"}, "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"),
        ({"Select": "ALL_PROJECTED_ATTRIBUTES"}, "1 validation error detected: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"),
        ({"ExclusiveStartKey": wire({"customer": "bob", "time": 1})}, "The provided starting key is outside query boundaries based on provided conditions"),
        ({"ExclusiveStartKey": wire({"customer": "ada"})}, "The provided starting key is invalid: The provided key element does not match the schema"),
        ({"Limit": 0}, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"),
    ],
)  # fmt: skip
def test_queries_that_are_refused(orders: Tables, given: dict[str, Any], text: str) -> None:
    """Each has AWS's message."""
    assert refusal(lambda: orders.call("Query", **ADA | given)) == ("ValidationException", text)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"ConsistentRead": True, "IndexName": "by-status"}, "Consistent reads are not supported on global secondary indexes"),
        ({"Select": "ALL_ATTRIBUTES", "IndexName": "by-status"}, "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index by-status because its projection type is not ALL"),
        ({"Select": "ALL_PROJECTED_ATTRIBUTES"}, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"),
        ({"TotalSegments": 2}, "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"),
        ({"Segment": 0}, "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"),
        ({"Segment": 2, "TotalSegments": 2}, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2"),
    ],
)  # fmt: skip
def test_scans_that_are_refused(orders: Tables, given: dict[str, Any], text: str) -> None:
    """Each has AWS's message."""
    assert refusal(lambda: orders.call("Scan", TableName="orders", **given)) == ("ValidationException", text)
