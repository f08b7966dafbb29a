"""Items: types, numbers, limits of size, keys and return values."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import holds, refused, same
from fidelity.sources import dynamodb_api, dynamodb_guide
from fidelity.tables import name_of, sorted_name, table

GROUP = Group("DynamoDB", "Items")
behaviour = GROUP.behaviour
_PUT = dynamodb_api("PutItem")
_TYPES = dynamodb_guide("HowItWorks.NamingRulesDataTypes")
_LIMITS = dynamodb_guide("Constraints")
_put = GROUP.refusals("dynamodb.put_item", "ValidationException", _PUT, TableName=name_of)
_get = GROUP.refusals("dynamodb.get_item", "ValidationException", dynamodb_api("GetItem"), TableName=sorted_name)
_KEY = {"p": {"S": "a"}}


def _stored(aws: Aws, value: dict[str, Any]) -> Any:
    created = table(aws)
    created.client.put_item(TableName=created.name, Item=_KEY | {"v": value})
    return created.client.get_item(TableName=created.name, Key=_KEY, ConsistentRead=True)["Item"]["v"]


@behaviour(_TYPES)
def keeps_every_type(aws: Aws) -> None:
    """Values of each type, nested ones too, are read as they were written."""
    value = {
        "M": {
            "s": {"S": "é"},
            "n": {"N": "-1.5"},
            "b": {"B": b"\x00\xff"},
            "t": {"BOOL": True},
            "u": {"NULL": True},
            "l": {"L": [{"L": []}, {"M": {}}, {"S": ""}]},
        }
    }
    same("reads", _stored(aws, value), value)


@behaviour(_TYPES)
def normal_form_of_numbers(aws: Aws) -> None:
    """Numbers lose zeros that say nothing."""
    for given, kept in (("01.50", "1.5"), ("-0", "0"), ("1E2", "100"), ("100", "100"), (".5", "0.5")):
        same(f"turns {given} into", _stored(aws, {"N": given}), {"N": kept})


@behaviour(_TYPES)
def digits_of_numbers(aws: Aws) -> None:
    """A number has at most 38 digits."""
    same("reads", _stored(aws, {"N": "1" * 38}), {"N": "1" * 38})
    refused("ValidationException", _stored, says="38", aws=aws, value={"N": "1" * 39})


_put("huge_number", "A number of more than 126 digits is refused", Item=_KEY | {"n": {"N": "1E126"}}, says="overflow")
_put("not_a_number", "A number must be one", Item=_KEY | {"n": {"N": "five"}})
_put("empty_set", "A set must not be empty", Item=_KEY | {"n": {"SS": []}}, says="may not be empty", recorded=True)
_put("twice_in_a_set", "A set has each element once", Item=_KEY | {"n": {"SS": ["a", "a"]}}, says="duplicates")
_put("false_null", "NULL is always true", Item=_KEY | {"n": {"NULL": False}}, says="must have the value of true")
_put("two_types", "A value has one type", Item=_KEY | {"n": {"S": "a", "N": "1"}}, says="more than one datatypes")
_put("no_type", "A value has a type", Item=_KEY | {"n": {}}, says="must contain exactly one of the supported datatypes")
_put("no_key", "An item must have its key", Item={"q": {"S": "a"}}, says="Missing the key p in the item")
_put("key_of_another_type", "A key must be of its type", Item={"p": {"N": "1"}}, says="expected: S actual: N")
_put("empty_key", "A key must not be empty", Item={"p": {"S": ""}}, says="cannot contain an empty string value. Key: p")
_put("long_key", "A partition key has at most 2048 bytes", source=_LIMITS, Item={"p": {"S": "é" * 1025}}, says="2048")
_put(
    "large_item",
    "An item has at most 400 KB, its names too",
    "Item size has exceeded the maximum allowed size",
    source=_LIMITS,
    Item=_KEY | {"v": {"S": "x" * (400 * 1024 - 2)}},
)
_put("unwanted_values", "PutItem returns nothing or the old item", Item=_KEY, ReturnValues="ALL_NEW")


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


@behaviour(_LIMITS)
def levels_of_nesting(aws: Aws) -> None:
    """Values are nested up to 32 levels deep."""
    same("reads", _stored(aws, _nested(31)), _nested(31))
    refused("ValidationException", _stored, says="Nesting Levels", aws=aws, value=_nested(33))


_get("half_a_key", "A read needs the whole key", "does not match the schema", Key=_KEY)
_get(
    "more_than_a_key",
    "A read takes no attributes beside the key",
    "does not match the schema",
    Key=_KEY | {"s": {"N": "1"}, "q": {"S": "x"}},
)
_get(
    "read_of_no_table",
    "An item action on a table that does not exist finds no resource",
    "Requested resource not found",
    code="ResourceNotFoundException",
    TableName="no-such-table",
    Key=_KEY,
    recorded=True,
)


@behaviour(_PUT)
def returns_what_was_replaced(aws: Aws) -> None:
    """A put returns the old item if it is asked to, and nothing if there was none."""
    created = table(aws)
    put = created.client.put_item
    same("returns", "Attributes" in put(TableName=created.name, Item=_KEY, ReturnValues="ALL_OLD"), False)
    same("returns", put(TableName=created.name, Item=_KEY, ReturnValues="ALL_OLD")["Attributes"], _KEY)


@behaviour(dynamodb_api("DeleteItem"))
def deletes_what_is_not_there(aws: Aws) -> None:
    """Deleting an item that does not exist succeeds and returns nothing."""
    created = table(aws)
    answer = created.client.delete_item(TableName=created.name, Key=_KEY, ReturnValues="ALL_OLD")
    same("returns", answer.get("Attributes"), None)


@behaviour(dynamodb_guide("read-write-operations"))
def consumed_capacity(aws: Aws) -> None:
    """A write costs a unit for each KB, a read of up to 4 KB half a unit, or one if it is consistent."""
    created = table(aws)
    shown = {"TableName": created.name, "ReturnConsumedCapacity": "TOTAL"}

    write = created.client.put_item(Item=_KEY | {"v": {"S": "x" * 1100}}, **shown)["ConsumedCapacity"]
    read = created.client.get_item(Key=_KEY, **shown)["ConsumedCapacity"]
    consistent = created.client.get_item(Key=_KEY, ConsistentRead=True, **shown)["ConsumedCapacity"]

    units = [one["CapacityUnits"] for one in (write, read, consistent)]
    holds(units == [2.0, 0.5, 1.0], f"costs {units}")
