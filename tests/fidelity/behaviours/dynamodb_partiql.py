"""PartiQL: statements alone, in batches and in transactions."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import WrongError, refused, same
from fidelity.sources import Source, dynamodb_api, dynamodb_guide
from fidelity.tables import Table, index, plain, table

GROUP = Group("DynamoDB", "PartiQL")
behaviour = GROUP.behaviour
_INSERT = dynamodb_guide("ql-reference.insert", recorded=True)
_SELECT = dynamodb_guide("ql-reference.select", recorded=True)
_UPDATE = dynamodb_guide("ql-reference.update", recorded=True)
_DELETE = dynamodb_guide("ql-reference.delete", recorded=True)
_EXECUTE = dynamodb_api("ExecuteStatement")
_BATCH = dynamodb_api("BatchExecuteStatement")
_TRANSACTION = dynamodb_api("ExecuteTransaction")


def _filled(aws: Aws) -> Table:
    created = table(aws, "N", types={"g": "S"}, GlobalSecondaryIndexes=[index("global", "g")])
    for number in range(1, 4):
        created.put(p="a", s=number, t=f"t{number}", g="x", m={"l": [number]}, e={"u", "v"})
    return created


def _says(name: str, statement: str, text: str, says: str, source: Source, *parameters: Any, **given: Any) -> None:
    """Add a row: a statement is refused with a text."""

    def check(aws: Aws) -> None:
        refused("ValidationException", lambda: _filled(aws).run(text, *parameters, **given), says=says)

    GROUP.add(name, statement, source, check)


@behaviour(_INSERT)
def inserts(aws: Aws) -> None:
    """INSERT makes an item of literals and parameters."""
    created = table(aws)
    created.run("INSERT INTO T VALUE {'p': ?, 'n': 1.5, 'l': [true, null], 'm': {'x': 'y'}, 'e': <<1, 2>>}", "a")
    found = created.get("a") or {}
    same("makes", [str(found["n"]), found["l"], found["m"], found["e"]], ["1.5", [True, None], {"x": "y"}, {1, 2}])


@behaviour(dynamodb_guide("ql-reference.insert"))
def inserts_twice(aws: Aws) -> None:
    """INSERT of an item that exists is refused (DuplicateItemException)."""
    created = table(aws)
    created.put(p="a", n=1)
    says = "Duplicate primary key exists in table"
    refused("DuplicateItemException", created.run, says=says, statement="INSERT INTO T VALUE {'p': 'a'}")
    same("has", created.get("a"), {"p": "a", "n": 1})


_says("insert_without_key", "INSERT needs the key", "INSERT INTO T VALUE {'p': 'b'}", "Key s", _INSERT)
_says(
    "few_parameters",
    "A statement has a value for each ?",
    "SELECT * FROM T WHERE p = ?",
    "Number of parameters",
    _EXECUTE,
)
_says("not_a_statement", "A statement must be well formed", "SELECT * FROM T WHERE", "wasn't well formed", _EXECUTE)


def _selects(name: str, statement: str, text: str, expected: list[int], *parameters: Any, **given: Any) -> None:
    """Add a row: a SELECT finds the items with these sort keys."""

    def check(aws: Aws) -> None:
        found = _filled(aws).found(text, *parameters, **given)
        same("finds", [one.get("s") for one in found], expected)

    GROUP.add(name, statement, _SELECT, check)


_selects("selects_by_key", "SELECT takes conditions on keys", "SELECT * FROM T WHERE p = ? AND s > 1", [2, 3], "a")
_selects("selects_by_attribute", "SELECT takes other conditions", "SELECT s FROM T WHERE p = 'a' AND t = 't2'", [2])
_selects("selects_some_keys", "IN lists values", "SELECT s FROM T WHERE p = 'a' AND s IN (1, 3)", [1, 3])
_selects(
    "selects_by_function",
    "begins_with and contains are conditions",
    "SELECT s FROM T WHERE p = 'a' AND begins_with(t, 't') AND contains(t, '3')",
    [3],
)
_selects(
    "selects_what_is_missing",
    "IS MISSING finds items without an attribute",
    "SELECT s FROM T WHERE p = 'a' AND zz IS MISSING AND t IS NOT MISSING",
    [1, 2, 3],
)
_selects("selects_by_path", "Conditions lead into documents", "SELECT s FROM T WHERE p = 'a' AND m.l[0] = 2", [2])
_selects("selects_nothing", "SELECT without a match finds nothing", "SELECT * FROM T WHERE p = 'b'", [])


@behaviour(_SELECT)
def selects_of_an_index(aws: Aws) -> None:
    """SELECT reads an index that is named after the table."""
    filled = _filled(aws)
    found = filled.found("SELECT s FROM T.\"global\" WHERE g = 'x'")
    same("finds", sorted(one["s"] for one in found), [1, 2, 3])


@behaviour(dynamodb_guide("ql-reference.select"))
def selects_in_order(aws: Aws) -> None:
    """ORDER BY turns the sort keys round."""
    found = _filled(aws).found("SELECT s FROM T WHERE p = 'a' ORDER BY s DESC")
    same("finds", [one["s"] for one in found], [3, 2, 1])


@behaviour(_EXECUTE)
def pages_of_a_select(aws: Aws) -> None:
    """A page of a SELECT ends at its limit, and NextToken leads on."""
    filled, text = _filled(aws), "SELECT s FROM T WHERE p = 'a'"
    page = filled.run(text, Limit=2)
    rest = filled.found(text, NextToken=page["NextToken"])
    same("finds", [plain(one)["s"] for one in page["Items"]], [1, 2])
    same("goes on with", [one["s"] for one in rest], [3])


@behaviour(_UPDATE)
def updates(aws: Aws) -> None:
    """UPDATE sets and removes attributes, and returns the item if it is asked to."""
    filled = _filled(aws)
    text = "UPDATE T SET n = 1 SET m.l = list_append(m.l, [9]) REMOVE t WHERE p = 'a' AND s = 1 RETURNING ALL NEW *"
    found = filled.found(text)[0]
    same("makes it", [found["n"], found["m"], "t" in found], [1, {"l": [1, 9]}, False])


@behaviour(dynamodb_guide("ql-reference.update"))
def updates_sets(aws: Aws) -> None:
    """set_add and set_delete change a set."""
    filled = _filled(aws)
    found = filled.found("UPDATE T SET e = set_add(e, <<'w'>>) WHERE p = 'a' AND s = 1 RETURNING MODIFIED NEW *")
    same("makes it", found, [{"e": {"u", "v", "w"}}])


_NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"
_says("update_without_key", "UPDATE names a whole key", "UPDATE T SET n = 1 WHERE p = 'a'", _NO_KEY, _UPDATE)
_says("delete_without_key", "DELETE names a whole key", "DELETE FROM T WHERE p = 'a' AND s > 1", _NO_KEY, _DELETE)


@behaviour(dynamodb_guide("ql-reference.update"))
def updates_what_is_not_there(aws: Aws) -> None:
    """UPDATE of an item that does not exist, or does not match, fails (ConditionalCheckFailedException)."""
    filled = _filled(aws)
    for key, text in (("b", "t1"), ("a", "zz")):
        statement = "UPDATE T SET n = 1 WHERE p = ? AND s = 1 AND t = ?"
        refused("ConditionalCheckFailedException", lambda: filled.run(statement, key, text))  # noqa: B023
    same("has", filled.get("b", 1), None)


@behaviour(dynamodb_guide("ql-reference.delete"))
def deletes(aws: Aws) -> None:
    """DELETE returns the item if it is asked to, and succeeds without one."""
    filled = _filled(aws)
    text = "DELETE FROM T WHERE p = 'a' AND s = 1 RETURNING ALL OLD *"
    same("returns", [one["t"] for one in filled.found(text)], ["t1"])
    same("returns", filled.found(text), [])


def _batch(filled: Table, *texts: str) -> list[dict[str, Any]]:
    statements = [{"Statement": filled.statement(text)} for text in texts]
    return list(filled.client.batch_execute_statement(Statements=statements)["Responses"])


@behaviour(_BATCH)
def batch_of_inserts(aws: Aws) -> None:
    """Statements of a batch fail each for itself: one that exists is a DuplicateItem."""
    filled = _filled(aws)

    answer = _batch(filled, "INSERT INTO T VALUE {'p': 'b', 's': 1}", "INSERT INTO T VALUE {'p': 'a', 's': 1}")

    same("answers", [one.get("Error", {}).get("Code") for one in answer], [None, "DuplicateItem"])
    same("is of", answer[0]["TableName"], filled.name)
    same("has", filled.get("b", 1), {"p": "b", "s": 1})


@behaviour(_BATCH)
def errors_of_a_batch(aws: Aws) -> None:
    """A statement of a batch that is not valid, or of no table, has its own error."""
    filled = _filled(aws)
    answer = _batch(filled, "DELETE FROM T WHERE p = 'a'", 'DELETE FROM "no-such-table" WHERE p = 1', "DROP TABLE T")
    codes = [one["Error"]["Code"] for one in answer]
    same("answers", codes, ["ValidationError", "ResourceNotFound", "ValidationError"])


@behaviour(_BATCH)
def batch_of_selects(aws: Aws) -> None:
    """A batch reads items by their whole keys."""
    filled = _filled(aws)
    answer = _batch(filled, "SELECT t FROM T WHERE p = 'a' AND s = 1", "SELECT t FROM T WHERE p = 'b' AND s = 1")
    same("reads", [plain(one.get("Item", {})) for one in answer], [{"t": "t1"}, {}])


@behaviour(_BATCH)
def batch_of_both(aws: Aws) -> None:
    """A batch does not read and write."""
    texts = ("SELECT t FROM T WHERE p = 'a' AND s = 1", "DELETE FROM T WHERE p = 'a' AND s = 2")
    refused("ValidationException", lambda: _batch(_filled(aws), *texts), says="Read and write requests together")


@behaviour(_BATCH)
def statements_of_a_batch(aws: Aws) -> None:
    """A batch has at most 25 statements."""
    texts = ["DELETE FROM T WHERE p = 'a' AND s = 1".replace("1", str(number)) for number in range(26)]
    refused("ValidationException", lambda: _batch(_filled(aws), *texts))


@behaviour(_BATCH)
def item_twice_in_a_batch(aws: Aws) -> None:
    """A batch writes an item once."""
    texts = ("INSERT INTO T VALUE {'p': 'b', 's': 1}", "UPDATE T SET n = 1 WHERE p = 'b' AND s = 1")
    refused("ValidationException", lambda: _batch(_filled(aws), *texts), says="contains duplicates")


def _transact(filled: Table, *texts: str) -> list[dict[str, Any]]:
    statements = [{"Statement": filled.statement(text)} for text in texts]
    return list(filled.client.execute_transaction(TransactStatements=statements)["Responses"])


@behaviour(_TRANSACTION)
def transaction_of_statements(aws: Aws) -> None:
    """A transaction of which one statement fails does nothing, and has a reason for each."""
    filled = _filled(aws)
    texts = ("INSERT INTO T VALUE {'p': 'b', 's': 1}", "UPDATE T SET n = 1 WHERE p = 'a' AND s = 1 AND t = 'zz'")
    try:
        _transact(filled, *texts)
    except ClientError as exc:
        reasons: Any = exc.response.get("CancellationReasons", [])
        same("reasons are", [one["Code"] for one in reasons], ["None", "ConditionalCheckFailed"])
    else:
        raise WrongError("accepts it")
    same("has", filled.get("b", 1), None)


@behaviour(_TRANSACTION)
def transaction_with_a_check(aws: Aws) -> None:
    """EXISTS is a condition of a transaction."""
    filled = _filled(aws)
    check = "EXISTS(SELECT * FROM T WHERE p = 'a' AND s = 1 AND t = '{}')"
    insert = "INSERT INTO T VALUE {'p': 'b', 's': 1}"
    refused("TransactionCanceledException", lambda: _transact(filled, check.format("zz"), insert))
    _transact(filled, check.format("t1"), insert)
    same("has", filled.get("b", 1), {"p": "b", "s": 1})


@behaviour(_TRANSACTION)
def transaction_of_both(aws: Aws) -> None:
    """A transaction of statements does not read and write."""
    texts = ("SELECT t FROM T WHERE p = 'a' AND s = 1", "DELETE FROM T WHERE p = 'a' AND s = 2")
    refused("ValidationException", lambda: _transact(_filled(aws), *texts), says="both read and write operations")
