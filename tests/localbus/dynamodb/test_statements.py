"""PartiQL statements.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html has the rules; the texts are those of
Amazon's DynamoDB Local 3.3.
"""

# ruff: noqa: S608 (the statements of tests are put together)

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from localbus.errors import AwsError
from support.dynamodb import JOB, Tables, run_statement


def error(jobs: Tables, statement: str, *parameters: Any) -> str:
    """Return code and text of a statement's error, the code only if it is another than ValidationException."""
    with pytest.raises(AwsError) as raised:
        run_statement(jobs, statement, *parameters)
    code = raised.value.code
    return raised.value.message if code == "ValidationException" else f"{code}: {raised.value.message}"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("p = 'a'", True),
        ("p = 'b'", False),
        ("'a' = p AND 0 < s", True),
        ("p = 'a' AND s = 1 AND n = 5", True),
        ("p = 'a' AND s BETWEEN 1 AND 2", True),
        ("p = 'a' AND s > 1", False),
        ("p IN ('b', 'a', 'a') AND s IN [1]", True),
        ("p = 'a' AND p = 'b'", False),
        ("n = 5.0 AND NOT n <> 5 AND n != 6", True),
        ("n IN (1, 5) AND n NOT IN (6) AND n NOT BETWEEN 6 AND 7", True),
        ("m.b.c = 'd' AND m['a'] = 1 AND l[1] = 'x'", True),
        ("zz IS MISSING AND n IS NOT MISSING AND zz.y IS MISSING", True),
        ("k IS NULL AND n IS NOT NULL", True),
        ("BEGINS_WITH(t, 'te') AND contains(e, 'u') AND attribute_type(n, 'N') AND size(l) = 2", True),
        ("attribute_exists(n) AND (n = 1 OR (n = 5))", True),
        ("e = <<'v', 'u'>> AND l = [1, 'x'] AND m.b = {'c': 'd'}", True),
        ('"n" = 5 AND t = "n"', False),
        ("t = 'text' -- the end", True),
    ],
)
def test_a_select_with_a_condition(jobs: Tables, condition: str, found: bool) -> None:
    """SELECT finds the item or not."""
    answer = run_statement(jobs, f'SELECT * FROM "jobs" WHERE {condition}')

    assert answer["Items"] == ([JOB] if found else [])


@pytest.mark.parametrize(
    ("paths", "item"),
    [
        ("n, t", {"n": JOB["n"], "t": JOB["t"]}),
        ("m.b.c, l[1]", {"c": {"S": "d"}, "l[1]": {"S": "x"}}),
        ("zz", {}),
    ],
)
def test_the_paths_of_a_select(jobs: Tables, paths: str, item: dict[str, Any]) -> None:
    """A path is shown by its last name, and by the indexes after it."""
    assert run_statement(jobs, f"SELECT {paths} FROM jobs WHERE p = 'a'")["Items"] == [item]


def test_pages_of_partitions(jobs: Tables) -> None:
    """A page ends at its limit; the next one goes on in the same partition, and in those after it."""
    for key, number in (("a", 2), ("b", 1), ("c", 1)):
        run_statement(jobs, "INSERT INTO jobs VALUE {'p': ?, 's': ?}", {"S": key}, {"N": str(number)})
    statement, token, found = "SELECT p, s FROM jobs WHERE p IN ('c', 'a') ORDER BY p DESC, s DESC", None, []

    for _ in range(4):
        page = run_statement(jobs, statement, Limit=1, **({"NextToken": token} if token else {}))
        found += [(one["p"]["S"], one["s"]["N"]) for one in page["Items"]]
        token = page.get("NextToken")

    assert found == [("c", "1"), ("a", "2"), ("a", "1")]
    assert token is None


@pytest.mark.parametrize("key", [{}, {"p": {"S": "z"}, "s": {"N": "1"}}, {"p": 1, "s": 2}, [], {"p": {"S": "a"}}])
def test_a_token_that_was_never_given(jobs: Tables, key: Any) -> None:
    """A NextToken must have a key of the statement's."""
    statement = "SELECT p FROM jobs WHERE p IN ('a', 'b')"
    token = run_statement(jobs, statement, Limit=1)["NextToken"]
    digest, _ = orjson.loads(base64.urlsafe_b64decode(token))

    with pytest.raises(AwsError, match="NextToken is not valid"):
        run_statement(jobs, statement, NextToken=base64.urlsafe_b64encode(orjson.dumps([digest, key])).decode())


@pytest.mark.parametrize(
    ("changes", "returning", "item"),
    [
        ("SET n = n + 1 SET m.a = 2", "MODIFIED NEW", {"n": {"N": "6"}, "m": {"M": {"a": {"N": "2"}}}}),
        ("SET n = -3, q = [1] REMOVE t", "MODIFIED OLD", {"n": {"N": "5"}, "t": {"S": "text"}}),
        ("SET e = set_add(e, <<'w'>>)", "MODIFIED NEW", {"e": {"SS": ["u", "v", "w"]}}),
        ("SET e = set_delete(e, <<'v'>>)", "MODIFIED NEW", {"e": {"SS": ["u"]}}),
        ("SET l = list_append(l, [true])", "MODIFIED NEW", {"l": {"L": [*JOB["l"]["L"], {"BOOL": True}]}}),
        ("SET q = if_not_exists(q, 7)", "MODIFIED NEW", {"q": {"N": "7"}}),
        ("SET n = n + 1 + 1", "MODIFIED NEW", {"n": {"N": "7"}}),
        ("REMOVE l[0] REMOVE zz", "MODIFIED NEW", {"l": {"L": [{"S": "x"}]}}),
        ("SET n = 6", "ALL OLD", JOB),
        ("SET n = 6", "ALL NEW", JOB | {"n": {"N": "6"}}),
    ],
)
def test_an_update(jobs: Tables, changes: str, returning: str, item: dict[str, Any]) -> None:
    """UPDATE changes the item and returns what RETURNING asks for."""
    answer = run_statement(jobs, f"UPDATE jobs {changes} WHERE p = 'a' AND s = 1 RETURNING {returning} *")

    assert answer["Items"] == [item]


NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"
NOT_FORMED = "Statement wasn't well formed, can't be processed:"
FAILED = "ConditionalCheckFailedException: The conditional request failed"
KEY = "p = 'a' AND s = 1"


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("INSERT INTO jobs VALUE {'p': 'a', 's': 1}", "DuplicateItemException: Duplicate primary key exists in table"),
        ("INSERT INTO jobs VALUE {'p': 'b'}", "Key attribute should be present in the item: Key s"),
        (
            "INSERT INTO jobs VALUE {'p': 'b', 's': 'x'}",
            "Key attribute's data type should match its data type in table's schema: Key s",
        ),
        ("INSERT INTO jobs VALUE {'p': 'b', 'p': 'c'}", "Duplicate keys in tuple. Key: p"),
        ("INSERT INTO jobs VALUE {p: 'b'}", "Tuple keys must be of type String. Actual type: VariableReference"),
        (
            "INSERT INTO jobs VALUE {'p': 'b', 's': 1, 'e': <<1, 'x'>>}",
            "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags",
        ),
        ("INSERT INTO jobs VALUE {'p': 'b', 's': 1, 'e': <<>>}", "Empty bags are not supported"),
        ("INSERT INTO jobs VALUE {'p': 'b', 's': 1, 'l': [?]}", "Unsupported data type: Parameter"),
        ("INSERT INTO jobs VALUE {'p': 'b', 's': 1} RETURNING ALL OLD *", "RETURNING is not supported in INSERT"),
        (
            "INSERT INTO jobs.\"by-t\" VALUE {'p': 'b'}",
            "FROM clause may only contain a single table name in data manipulation statements",
        ),
        ("SELECT * FROM nowhere", "ResourceNotFoundException: Requested resource not found"),
        ("SELECT * FROM jobs WHERE", f"{NOT_FORMED} SELECT * FROM jobs WHERE"),
        ("SELECT date FROM jobs", f"{NOT_FORMED} SELECT date FROM jobs"),
        ("SELECT * FROM jobs WHERE p = 'a", f"{NOT_FORMED} SELECT * FROM jobs WHERE p = 'a"),
        ("DROP TABLE jobs", f"{NOT_FORMED} DROP TABLE jobs"),
        ("SELECT n, n FROM jobs", "Duplicate identifiers in select clause: n"),
        ("SELECT n AS m FROM jobs", "Aliasing is not supported"),
        ("SELECT * FROM jobs w", "Aliasing is not supported"),
        ("SELECT count(*) FROM jobs", "Unexpected path component"),
        ("SELECT * FROM jobs LIMIT 1", "Unsupported clause: LIMIT"),
        ("SELECT * FROM jobs WHERE p = 'a' GROUP BY p", "Unsupported clause: GROUP BY"),
        ("SELECT * FROM jobs WHERE n", "WHERE clause must contain an expression that resolves to a boolean"),
        ("SELECT * FROM jobs WHERE n = MISSING", "MISSING must be compared using IS operator"),
        ("SELECT * FROM jobs WHERE n + 1 = 2", "Unsupported operator in Condition Expression. Operator: +"),
        ("SELECT * FROM jobs WHERE t LIKE 'x'", "Unsupported operator in Condition Expression. Operator: like"),
        ("SELECT * FROM jobs WHERE upper(t) = 'X'", "Unrecognized function: upper"),
        (
            "SELECT * FROM jobs WHERE p = 1",
            "Key attribute's data type should match its data type in table's schema: Key p",
        ),
        ("SELECT * FROM jobs ORDER BY s", "Must have WHERE clause in the statement when using ORDER BY clause."),
        (
            "SELECT * FROM jobs WHERE p = 'a' ORDER BY n",
            "Variable reference n in ORDER BY clause must be part of the primary key",
        ),
        ('SELECT * FROM jobs."by-n" WHERE n = 1', "The table does not have the specified index"),
        (
            "SELECT n FROM jobs.\"by-t\" WHERE t = 'text'",
            "One or more parameter values were invalid: Global secondary index by-t does not project [n]",
        ),
        ("SELECT * FROM jobs WHERE p = ?", "Number of parameters in request and statement don't match."),
        ("UPDATE jobs SET n = 1 WHERE p = 'a'", NO_KEY),
        ("UPDATE jobs SET n = 1 WHERE p = 'a' OR s = 1", NO_KEY),
        ("UPDATE jobs SET n = 1 WHERE p = 'a' AND s IN (1)", NO_KEY),
        (
            "UPDATE jobs SET n = 1 WHERE p = 'a' AND p = 'b' AND s = 1",
            "Multiple conditions on same key p. Only single item Update/Insert/Delete are supported",
        ),
        ("UPDATE jobs SET n = 1 WHERE p = 'b' AND s = 1", FAILED),
        (f"UPDATE jobs SET n = 1 WHERE {KEY} AND n = 6", FAILED),
        (
            f"UPDATE jobs SET s = 2 WHERE {KEY}",
            "One or more parameter values were invalid: Cannot update attribute s. This attribute is part of the key",
        ),
        (
            f"UPDATE jobs SET n = zz WHERE {KEY}",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            f"UPDATE jobs SET n = size(l) WHERE {KEY}",
            "The function is not allowed in an update expression; function: size",
        ),
        (
            f"UPDATE jobs SET n = 1, n = 2 WHERE {KEY}",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [n], "
            "path two: [n]",
        ),
        (f"UPDATE jobs SET n = (t = 'x') WHERE {KEY}", "Unsupported operator in Update Expression. Operator: ="),
        (f"UPDATE jobs WHERE {KEY}", f"{NOT_FORMED} UPDATE jobs WHERE {KEY}"),
        (f'UPDATE jobs."by-t" SET n = 1 WHERE {KEY}', "This operation is not supported on an index"),
        (
            f"UPDATE jobs SET n = 1 WHERE {KEY} RETURNING ALL NEW n",
            "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause",
        ),
        ("DELETE FROM jobs WHERE p = 'a'", NO_KEY),
        (f"DELETE FROM jobs WHERE {KEY} AND n = 6", FAILED),
        (
            f"DELETE FROM jobs WHERE {KEY} RETURNING ALL NEW *",
            "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
        ),
        (f"EXISTS(SELECT * FROM jobs WHERE {KEY})", "EXISTS can only be used in ExecuteTransaction write requests."),
        ("SELECT * FROM jobs WHERE n || t", "Unsupported operator in Condition Expression. Operator: ||"),
        ("SELECT * FROM jobs WHERE size(n + 1) = 2", "Unsupported operator in Condition Expression. Operator: +"),
        ("SELECT * FROM jobs WHERE (n = 1) = (t = 2)", "Unsupported operator in Condition Expression. Operator: ="),
        ("SELECT * FROM jobs WHERE set_add(n, 1)", "Unsupported operator in Condition Expression. Operator: set_add"),
        (f"UPDATE jobs SET n = {'1 + ' * 1000}1 WHERE {KEY}", None),
        ("SELECT * FROM jobs WHERE " + "(" * 200 + "n = 1" + ")" * 200, None),
        ("INSERT INTO jobs VALUE {'p': 'b', 's': 1, 'l': " + "[" * 200 + "]" * 200 + "}", None),
    ],
)
def test_an_invalid_statement(jobs: Tables, statement: str, text: str | None) -> None:
    """An invalid statement is rejected in DynamoDB's words, and changes nothing."""
    found = error(jobs, statement)

    assert found == text or (text is None and found.startswith(NOT_FORMED))
    assert run_statement(jobs, "SELECT * FROM jobs")["Items"] == [JOB]


def test_a_failed_condition_shows_the_item(jobs: Tables) -> None:
    """ReturnValuesOnConditionCheckFailure returns the item with the error."""
    with pytest.raises(AwsError) as raised:
        run_statement(jobs, f"DELETE FROM jobs WHERE {KEY} AND n = 6", ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert raised.value.members["Item"] == JOB
