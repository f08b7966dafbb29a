"""Queries and scans: order, pages, filters and indexes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import dynamodb_api, dynamodb_guide
from fidelity.tables import Table, index, plain, table, values

GROUP = Group("DynamoDB", "Queries and scans")
behaviour = GROUP.behaviour
_KEYS = dynamodb_guide("Query.KeyConditionExpressions")
_QUERY = dynamodb_api("Query")
_PAGES = dynamodb_guide("Query.Pagination")


def _numbered(aws: Aws, *numbers: Any, **given: Any) -> Table:
    created = table(aws, "N", **given)
    for number in numbers:
        created.put(p="a", s=number, n=number, g="x")
    return created


@behaviour(_KEYS)
def order_of_numbers(aws: Aws) -> None:
    """Items of a partition are sorted by number, or in the other direction."""
    numbers = [Decimal(text) for text in ("-10", "-1.5", "0", "0.001", "9", "10", "1000")]
    filled = _numbered(aws, *reversed(numbers))

    same("finds", filled.sorts("p = :p", p="a"), numbers)
    same("finds", filled.sorts("p = :p", p="a", ScanIndexForward=False), numbers[::-1])


@behaviour(_KEYS)
def order_of_texts(aws: Aws) -> None:
    """Texts are sorted by the bytes of UTF-8."""
    filled = table(aws, "S")
    for text in ("é", "a", "B", "aa", "Z", "😀", "\uffee"):
        filled.put(p="a", s=text)
    same("finds", filled.sorts("p = :p", p="a"), ["B", "Z", "a", "aa", "é", "\uffee", "😀"])


@behaviour(_KEYS)
def ranges_of_sort_keys(aws: Aws) -> None:
    """A query takes a range of sort keys: compared, between two, or that begin with a text."""
    filled = _numbered(aws, 1, 2, 3, 4)
    same("finds", filled.sorts("p = :p AND s > :v", p="a", v=2), [3, 4])
    same("finds", filled.sorts("p = :p AND s BETWEEN :v AND :w", p="a", v=2, w=3), [2, 3])
    texts = table(aws, "S")
    for text in ("ab", "abc", "b"):
        texts.put(p="a", s=text)
    same("finds", texts.sorts("p = :p AND begins_with(s, :v)", p="a", v="ab"), ["ab", "abc"])


def _says(
    name: str, statement: str, says: str, source: Any = _KEYS, *, condition: str = "p = :p", **given: Any
) -> None:
    """Add a row: a query is refused with a text."""

    def check(aws: Aws) -> None:
        filled = table(
            aws,
            "N",
            types={"g": "S"},
            GlobalSecondaryIndexes=[index("few", "g", projection="KEYS_ONLY")],
        )
        refused("ValidationException", filled.query, says=says, condition=condition, **given)

    GROUP.add(name, statement, source, check)


_says(
    "no_partition",
    "A query needs the partition key",
    "Query condition missed key schema element",
    condition="s = :s",
    s=1,
)
_says(
    "range_of_partitions",
    "The partition key must be equal",
    "Query key condition not supported",
    condition="p > :p",
    p="a",
)
_says(
    "or_in_a_query",
    "Key conditions are not joined by OR",
    "Invalid operator used in KeyConditionExpression: OR",
    condition="p = :p OR s = :s",
    p="a",
    s=1,
)
_says(
    "unequal_key",
    "A sort key is not compared by <>",
    "Invalid operator used in KeyConditionExpression: <>",
    condition="p = :p AND s <> :s",
    p="a",
    s=1,
)
_says(
    "key_twice",
    "A key has one condition",
    "must only contain one condition per key",
    condition="p = :p AND s > :s AND s < :t",
    p="a",
    s=1,
    t=2,
)
_says(
    "key_of_other_type", "A value must be of the key's type", "Condition parameter type does not match schema type", p=1
)
_says(
    "key_in_a_filter",
    "A filter has no key attributes",
    "Primary key attribute: s",
    _QUERY,
    FilterExpression="s = :s",
    p="a",
    s=1,
)
_says(
    "unknown_index",
    "An index must exist",
    "The table does not have the specified index",
    _QUERY,
    IndexName="no-such-index",
    p="a",
)
_says(
    "consistent_global_index",
    "Global indexes are not read consistently",
    "Consistent reads are not supported on global secondary indexes",
    _QUERY,
    condition="g = :g",
    IndexName="few",
    ConsistentRead=True,
    g="x",
)
_says(
    "not_projected",
    "A global index gives only what is projected to it",
    "Global secondary index few does not project",
    dynamodb_guide("GSI"),
    condition="g = :g",
    IndexName="few",
    ProjectionExpression="n",
    g="x",
)


@behaviour(_PAGES)
def pages_of_a_query(aws: Aws) -> None:
    """A page of a query ends at its limit, even of items that the filter drops, and names its last key."""
    filled = _numbered(aws, 1, 2, 3)

    page = filled.query("p = :p", p="a", v=3, FilterExpression="n = :v", Limit=2)
    rest = filled.query("p = :p", p="a", ExclusiveStartKey=page["LastEvaluatedKey"])

    same("counts", (page["Count"], page["ScannedCount"]), (0, 2))
    same("ends at", plain(page["LastEvaluatedKey"]), {"p": "a", "s": 2})
    same("goes on with", [plain(one)["s"] for one in rest["Items"]], [3])
    same("ends", "LastEvaluatedKey" in rest, False)


@behaviour(_PAGES)
def pages_of_a_megabyte(aws: Aws) -> None:
    """A page ends after 1 MB of items."""
    filled = table(aws, "N")
    for number in range(4):
        filled.put(p="a", s=number, v="x" * 390_000)
    answer = filled.query("p = :p", p="a", ProjectionExpression="s")
    same("counts", (answer["Count"], "LastEvaluatedKey" in answer), (3, True))


@behaviour(_QUERY)
def counts_only(aws: Aws) -> None:
    """A query that selects COUNT has no items."""
    answer = _numbered(aws, 1, 2).query("p = :p", p="a", Select="COUNT")
    same("answers", (answer["Count"], "Items" in answer), (2, False))


@behaviour(dynamodb_guide("GSI"))
def global_index(aws: Aws) -> None:
    """A global index has the items with its keys, sorted by its own, and follows updates."""
    filled = table(
        aws, types={"g": "S", "h": "N"}, GlobalSecondaryIndexes=[index("global", "g", "h", projection="KEYS_ONLY")]
    )
    filled.put(p="a", g="x", h=2, v=1)
    filled.put(p="b", g="x", h=1)
    filled.put(p="c", g="x")
    filled.put(p="d", g="x", h=3)
    filled.update("REMOVE h", "d")

    found = filled.query("g = :g", g="x", IndexName="global")["Items"]

    same("finds", [plain(one) for one in found], [{"p": "b", "g": "x", "h": 1}, {"p": "a", "g": "x", "h": 2}])


@behaviour(dynamodb_guide("GSI"))
def wrong_type_in_an_index(aws: Aws) -> None:
    """An attribute that is an index's key must be of its type."""
    filled = table(aws, types={"g": "S"}, GlobalSecondaryIndexes=[index("global", "g")])
    refused("ValidationException", filled.put, says="Type mismatch for Index Key g Expected: S Actual: N", p="a", g=1)


@behaviour(dynamodb_guide("LSI"))
def local_index(aws: Aws) -> None:
    """A local index reads attributes that it does not have from the table."""
    filled = table(aws, "N", types={"l": "S"}, LocalSecondaryIndexes=[index("local", "p", "l", projection="KEYS_ONLY")])
    filled.put(p="a", s=1, l="z", v=1)
    filled.put(p="a", s=2, l="y", v=2)

    found = filled.query("p = :p", p="a", IndexName="local", ProjectionExpression="v", ConsistentRead=True)["Items"]

    same("finds", [plain(one)["v"] for one in found], [2, 1])


@behaviour(dynamodb_api("Scan"))
def scans_in_segments(aws: Aws) -> None:
    """The segments of a parallel scan have each item once."""
    filled = table(aws)
    for number in range(20):
        filled.put(p=str(number))
    found = [
        plain(one)["p"]
        for segment in range(3)
        for one in filled.client.scan(TableName=filled.name, Segment=segment, TotalSegments=3)["Items"]
    ]
    same("finds", sorted(found, key=int), [str(number) for number in range(20)])


@behaviour(dynamodb_api("Scan"))
def filters_a_scan(aws: Aws) -> None:
    """A scan's filter may have keys, and counts what it dropped."""
    filled = _numbered(aws, 1, 2, 3)
    answer = filled.client.scan(
        TableName=filled.name, FilterExpression="s >= :v", ExpressionAttributeValues=values({"v": 2})
    )
    same("counts", (answer["Count"], answer["ScannedCount"]), (2, 3))
