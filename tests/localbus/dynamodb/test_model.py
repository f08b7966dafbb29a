"""A table with indexes against a dictionary: whatever is written, every read finds the same."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.dynamodb import Tables, plain, refusal, wire

PARTITIONS = st.sampled_from(["a", "b"])
SORTS = st.sampled_from([-10, -1.5, 0, 0.001, 2, 10, 10**20])
OPTIONAL = st.one_of(st.none(), st.sampled_from(["x", "xy", "y"]))
LIMITS = st.integers(min_value=1, max_value=4)

Key = tuple[str, float]


class TableMachine(RuleBasedStateMachine):
    """Writes to a table and to a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = Tables()
        self.tables.create(
            "tbl", "p:S", "s:N", both=[("by-g", "g:S", "s:N", "ALL")], local=[("by-l", "p:S", "l:S", "ALL")]
        )
        self.model: dict[Key, dict[str, Any]] = {}

    def teardown(self) -> None:
        """Remove the table."""
        self.tables.state.stop()

    @rule(p=PARTITIONS, s=SORTS, g=OPTIONAL, low=OPTIONAL, size=st.sampled_from([0, 10, 300_000]))
    def put(self, p: str, s: float, g: str | None, low: str | None, size: int) -> None:
        """PutItem."""
        item = {"p": p, "s": s, "v": "v" * size} | {key: value for key, value in (("g", g), ("l", low)) if value}
        self.tables.put("tbl", item)
        self.model[p, s] = item

    @rule(p=PARTITIONS, s=SORTS)
    def delete(self, p: str, s: float) -> None:
        """DeleteItem."""
        answer = self.tables.call("DeleteItem", TableName="tbl", Key=wire({"p": p, "s": s}), ReturnValues="ALL_OLD")
        assert ("Attributes" in answer) == (self.model.pop((p, s), None) is not None)

    @rule(p=PARTITIONS, s=SORTS, g=OPTIONAL)
    def update(self, p: str, s: float, g: str | None) -> None:
        """UpdateItem, on the condition that there is an item."""
        change: dict[str, Any] = {"UpdateExpression": "REMOVE g"}
        if g:
            change = {"UpdateExpression": "SET g = :g", "ExpressionAttributeValues": {":g": {"S": g}}}
        change |= {"TableName": "tbl", "Key": wire({"p": p, "s": s}), "ConditionExpression": "attribute_exists(p)"}
        if (p, s) not in self.model:
            assert refusal(lambda: self.tables.call("UpdateItem", **change))[0] == "ConditionalCheckFailedException"
            return
        self.tables.call("UpdateItem", **change)
        item = {name: value for name, value in self.model[p, s].items() if name != "g"}
        self.model[p, s] = item | ({"g": g} if g else {})

    @rule(p=PARTITIONS, low=SORTS, high=SORTS, forward=st.booleans(), limit=LIMITS)
    def query(self, p: str, low: float, high: float, forward: bool, limit: int) -> None:
        """Query of a range, in pages."""
        low, high = sorted((low, high))
        found = self.tables.all(
            "Query",
            TableName="tbl",
            KeyConditionExpression="p = :p AND s BETWEEN :a AND :b",
            ExpressionAttributeValues={":p": {"S": p}, ":a": {"N": str(low)}, ":b": {"N": str(high)}},
            ScanIndexForward=forward,
            Limit=limit,
        )
        keys = sorted(s for q, s in self.model if q == p and low <= s <= high)
        assert [item["s"] for item in found] == (keys if forward else keys[::-1])

    @rule(g=st.sampled_from(["x", "xy", "y"]), forward=st.booleans(), limit=LIMITS)
    def query_global(self, g: str, forward: bool, limit: int) -> None:
        """Query of the global index, in pages."""
        found = self.tables.all(
            "Query",
            TableName="tbl",
            IndexName="by-g",
            KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": g}},
            ScanIndexForward=forward,
            Limit=limit,
        )
        wanted = [item for item in self.model.values() if item.get("g") == g]
        sorts = [item["s"] for item in found]
        assert sorts == sorted(sorts, reverse=not forward)
        assert sorted(map(repr, map(sorted_items, found))) == sorted(map(repr, map(sorted_items, wanted)))

    @rule(p=PARTITIONS, prefix=st.sampled_from(["x", "xy", "z"]), limit=LIMITS)
    def query_local(self, p: str, prefix: str, limit: int) -> None:
        """Query of the local index by the beginning of its key, in pages."""
        found = self.tables.all(
            "Query",
            TableName="tbl",
            IndexName="by-l",
            KeyConditionExpression="p = :p AND begins_with(l, :l)",
            ExpressionAttributeValues={":p": {"S": p}, ":l": {"S": prefix}},
            Limit=limit,
        )
        wanted = [item for (q, _), item in self.model.items() if q == p and item.get("l", "").startswith(prefix)]
        assert [item["l"] for item in found] == sorted(item["l"] for item in wanted)
        assert {item["s"] for item in found} == {item["s"] for item in wanted}

    @rule(total=st.integers(min_value=1, max_value=3), limit=LIMITS)
    def scan(self, total: int, limit: int) -> None:
        """Scan in segments and pages."""
        found = [
            item
            for n in range(total)
            for item in self.tables.all("Scan", TableName="tbl", Segment=n, TotalSegments=total, Limit=limit)
        ]
        assert len(found) == len(self.model)
        assert {(item["p"], item["s"]): item for item in found} == self.model

    @invariant()
    def items_and_counts_agree(self) -> None:
        """Each item is found by its key, and the counts are exact."""
        for (p, s), item in self.model.items():
            answer = self.tables.call("GetItem", TableName="tbl", Key=wire({"p": p, "s": s}))
            assert plain(answer["Item"]) == item
        table = self.tables.call("DescribeTable", TableName="tbl")["Table"]
        indexes = {index["IndexName"]: index["ItemCount"] for index in table["GlobalSecondaryIndexes"]}
        indexes |= {index["IndexName"]: index["ItemCount"] for index in table["LocalSecondaryIndexes"]}
        counts = {f"by-{name}": sum(name in item for item in self.model.values()) for name in ("g", "l")}
        assert (table["ItemCount"], indexes) == (len(self.model), counts)


def sorted_items(item: dict[str, Any]) -> list[tuple[str, Any]]:
    """An item in the order of its names."""
    return sorted(item.items())


TestTable = TableMachine.TestCase
TestTable.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
