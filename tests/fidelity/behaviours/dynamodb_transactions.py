"""Transactions."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import WrongError, refused, same
from fidelity.sources import dynamodb_api
from fidelity.tables import Table, item, plain, table, values

GROUP = Group("DynamoDB", "Transactions")
behaviour = GROUP.behaviour
_WRITE = dynamodb_api("TransactWriteItems")
_ONLY_NEW = {"ConditionExpression": "attribute_not_exists(p)"}


def _put(filled: Table, key: str, **given: Any) -> dict[str, Any]:
    return {"Put": {"TableName": filled.name, "Item": item({"p": key})} | given}


def _write(filled: Table, *parts: dict[str, Any], **given: Any) -> Any:
    return filled.client.transact_write_items(TransactItems=list(parts), **given)


def _reasons(filled: Table, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the reasons for which a transaction is cancelled."""
    try:
        _write(filled, *parts)
    except ClientError as exc:
        reasons: Any = exc.response.get("CancellationReasons")
        if exc.response["Error"]["Code"] == "TransactionCanceledException" and reasons:
            return list(reasons)
        raise
    raise WrongError("accepts it")


@behaviour(_WRITE)
def all_or_nothing(aws: Aws) -> None:
    """A transaction of which one part fails does nothing, and has a reason for each part in their order."""
    filled = table(aws)
    filled.put(p="old")

    reasons = _reasons(filled, _put(filled, "new"), _put(filled, "old", **_ONLY_NEW))

    same("reasons are", [one["Code"] for one in reasons], ["None", "ConditionalCheckFailed"])
    same("has", filled.get("new"), None)


@behaviour(_WRITE)
def text_of_a_cancelled_transaction(aws: Aws) -> None:
    """The error of a cancelled transaction lists the codes."""
    filled = table(aws)
    filled.put(p="old")
    refused(
        "TransactionCanceledException",
        lambda: _write(filled, _put(filled, "old", **_ONLY_NEW), _put(filled, "new")),
        says="please refer cancellation reasons for specific reasons [ConditionalCheckFailed, None]",
    )


@behaviour(_WRITE)
def shows_the_item_of_a_failed_part(aws: Aws) -> None:
    """A part whose condition fails shows its item if it is asked to."""
    filled = table(aws)
    filled.put(p="old", n=1)
    shown = _put(filled, "old", ReturnValuesOnConditionCheckFailure="ALL_OLD", **_ONLY_NEW)
    same("shows", plain(_reasons(filled, shown)[0]["Item"]), {"p": "old", "n": 1})


@behaviour(_WRITE)
def parts_of_each_kind(aws: Aws) -> None:
    """A transaction puts, updates, deletes and checks."""
    filled = table(aws)
    for key in ("check", "delete", "update"):
        filled.put(p=key, n=1)
    of = {"TableName": filled.name}
    change = {"UpdateExpression": "SET n = n + :v", "ExpressionAttributeValues": values({"v": 1})}

    _write(
        filled,
        _put(filled, "put"),
        {"Delete": of | {"Key": filled.key("delete")}},
        {"Update": of | {"Key": filled.key("update")} | change},
        {"ConditionCheck": of | {"Key": filled.key("check"), "ConditionExpression": "attribute_exists(n)"}},
    )

    found = [filled.get(key) for key in ("put", "delete", "update", "check")]
    same("makes", found, [{"p": "put"}, None, {"p": "update", "n": 2}, {"p": "check", "n": 1}])


@behaviour(dynamodb_api("TransactWriteItems", recorded=True))
def item_twice_in_a_transaction(aws: Aws) -> None:
    """A transaction has one part for an item."""
    filled = table(aws)
    says = "Transaction request cannot include multiple operations on one item"
    refused("ValidationException", lambda: _write(filled, _put(filled, "a"), _put(filled, "a")), says=says)


@behaviour(_WRITE)
def parts_of_a_transaction(aws: Aws) -> None:
    """A transaction has at most 100 parts."""
    filled = table(aws)
    refused("ValidationException", lambda: _write(filled, *(_put(filled, str(number)) for number in range(101))))


@behaviour(_WRITE)
def token_of_a_transaction(aws: Aws) -> None:
    """A transaction with the token of an earlier one succeeds and changes nothing."""
    filled, token = table(aws), aws.name()
    _write(filled, _put(filled, "a"), ClientRequestToken=token)
    filled.client.delete_item(TableName=filled.name, Key=filled.key("a"))

    _write(filled, _put(filled, "a"), ClientRequestToken=token)

    same("has", filled.get("a"), None)


@behaviour(_WRITE)
def token_of_another_transaction(aws: Aws) -> None:
    """The token of another transaction is refused (IdempotentParameterMismatchException)."""
    filled, token = table(aws), aws.name()
    _write(filled, _put(filled, "a"), ClientRequestToken=token)
    refused("IdempotentParameterMismatchException", lambda: _write(filled, _put(filled, "b"), ClientRequestToken=token))


@behaviour(dynamodb_api("TransactGetItems"))
def reads_a_transaction(aws: Aws) -> None:
    """A transaction reads items in the order of the request; one that does not exist is empty."""
    filled = table(aws)
    filled.put(p="b", n=1)
    gets = [{"Get": {"TableName": filled.name, "Key": filled.key(key)}} for key in ("a", "b")]
    answer = filled.client.transact_get_items(TransactItems=gets)["Responses"]
    same("reads", [plain(one.get("Item", {})) for one in answer], [{}, {"p": "b", "n": 1}])
