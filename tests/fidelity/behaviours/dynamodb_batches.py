"""Batches of reads and writes."""

from __future__ import annotations

from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import refused, same
from fidelity.sources import dynamodb_api
from fidelity.tables import Table, item, plain, table

GROUP = Group("DynamoDB", "Batches")
behaviour = GROUP.behaviour
_WRITE = dynamodb_api("BatchWriteItem")
_READ = dynamodb_api("BatchGetItem", recorded=True)


def _put(key: str) -> dict[str, Any]:
    return {"PutRequest": {"Item": item({"p": key})}}


def _delete(key: str) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": item({"p": key})}}


def _write(filled: Table, *requests: dict[str, Any]) -> Any:
    return filled.client.batch_write_item(RequestItems={filled.name: list(requests)})


def _read(filled: Table, *keys: str, **given: Any) -> Any:
    return filled.client.batch_get_item(
        RequestItems={filled.name: {"Keys": [item({"p": key}) for key in keys]} | given}
    )


@behaviour(_WRITE)
def writes_a_batch(aws: Aws) -> None:
    """A batch puts and deletes, and names what it did not process: nothing."""
    filled = table(aws)
    filled.put(p="old")
    answer = _write(filled, _put("a"), _put("b"), _delete("old"))
    same("leaves", answer["UnprocessedItems"], {})
    same("has", [filled.get(key) for key in ("a", "b", "old")], [{"p": "a"}, {"p": "b"}, None])


@behaviour(_WRITE)
def writes_of_a_batch(aws: Aws) -> None:
    """A batch has at most 25 writes."""
    refused("ValidationException", lambda: _write(table(aws), *(_put(str(number)) for number in range(26))))


@behaviour(_WRITE)
def writes_an_item_twice(aws: Aws) -> None:
    """A batch writes an item once."""
    says = "Provided list of item keys contains duplicates"
    refused("ValidationException", lambda: _write(table(aws), _put("a"), _delete("a")), says=says)


@behaviour(_WRITE)
def one_bad_write(aws: Aws) -> None:
    """An invalid item refuses the whole batch."""
    filled = table(aws)
    refused("ValidationException", lambda: _write(filled, _put("a"), {"PutRequest": {"Item": {"q": {"S": "b"}}}}))
    same("has", filled.get("a"), None)


@behaviour(_READ)
def reads_a_batch(aws: Aws) -> None:
    """A batch reads the items that exist, and projects them."""
    filled = table(aws)
    filled.put(p="a", n=1)
    answer = _read(filled, "a", "b", ProjectionExpression="n")
    same("reads", [plain(one) for one in answer["Responses"][filled.name]], [{"n": 1}])
    same("leaves", answer["UnprocessedKeys"], {})


@behaviour(_READ)
def reads_of_a_batch(aws: Aws) -> None:
    """A batch has at most 100 keys."""
    refused("ValidationException", lambda: _read(table(aws), *map(str, range(101))))


@behaviour(_READ)
def reads_an_item_twice(aws: Aws) -> None:
    """A batch reads a key once."""
    says = "Provided list of item keys contains duplicates"
    refused("ValidationException", lambda: _read(table(aws), "a", "a"), says=says)


@behaviour(_WRITE)
def batch_of_no_table(aws: Aws) -> None:
    """A batch for a table that does not exist is refused as a whole."""
    filled = table(aws)
    requests = {filled.name: [_put("a")], "no-such-table": [_put("a")]}
    refused("ResourceNotFoundException", filled.client.batch_write_item, RequestItems=requests)
    same("has", filled.get("a"), None)
