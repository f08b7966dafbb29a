"""PartiQL statements in batches and in transactions.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteTransaction.html have the rules; the texts are
those of Amazon's DynamoDB Local 3.3, but for DuplicateItem of a transaction and the tables of failed statements.
"""

# ruff: noqa: S608 (the statements of tests are put together)

from __future__ import annotations

from typing import Any

import pytest
from localbus.errors import AwsError
from support.dynamodb import Tables, run_statement

NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"
NOT_FORMED = "Statement wasn't well formed, can't be processed:"
KEY = "p = 'a' AND s = 1"


def batch(jobs: Tables, *statements: str | dict[str, Any], **given: Any) -> Any:
    """Execute a batch."""
    parts = [{"Statement": one} if isinstance(one, str) else one for one in statements]
    return jobs.call("BatchExecuteStatement", Statements=parts, **given)


def test_a_batch_of_writes(jobs: Tables) -> None:
    """Each statement has its own answer; those that fail do not hinder the others."""
    answer = batch(
        jobs,
        {"Statement": "INSERT INTO jobs VALUE {'p': ?, 's': ?}", "Parameters": [{"S": "b"}, {"N": "1"}]},
        "INSERT INTO jobs VALUE {'p': 'a', 's': 1}",
        {"Statement": "DELETE FROM jobs WHERE p = 'c' AND s = 1 AND n = 1"},
        "UPDATE jobs SET n = 1 WHERE p = 'd' AND s = 1",
        "UPDATE jobs SET n = 1 WHERE p = 'd'",
        "INSERT INTO nowhere VALUE {'p': 'a'}",
        "INSERT jobs",
    )

    assert answer["Responses"] == [
        {"TableName": "jobs"},
        _failed("DuplicateItem", "Duplicate primary key exists in table", "jobs"),
        {"TableName": "jobs"},
        _failed("ConditionalCheckFailed", "The conditional request failed", "jobs"),
        _failed("ValidationError", NO_KEY, "jobs"),
        _failed("ResourceNotFound", "Requested resource not found"),
        _failed("ValidationError", f"{NOT_FORMED} INSERT jobs"),
    ]
    assert len(run_statement(jobs, "SELECT p FROM jobs")["Items"]) == 2


def _failed(code: str, message: str, table: str = "") -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}} | ({"TableName": table} if table else {})


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        (
            [f"SELECT * FROM jobs WHERE {KEY}", "DELETE FROM jobs WHERE p = 'b' AND s = 1"],
            "Read and write requests together in the same batch is not supported.",
        ),
        (
            ["INSERT INTO jobs VALUE {'p': 'b', 's': 1}", "INSERT INTO jobs VALUE {'p': 'b', 's': 1.0}"],
            "Provided list of item keys contains duplicates",
        ),
        (
            [{"Statement": "INSERT INTO jobs VALUE {'p': 'b', 's': ?}", "Parameters": [{"N": "x"}]}],
            "The parameter cannot be converted to a numeric value: x",
        ),
    ],
)
def test_a_batch_that_is_refused(jobs: Tables, statements: list[Any], text: str) -> None:
    """A batch whose parts do not fit together does nothing."""
    with pytest.raises(AwsError) as raised:
        batch(jobs, *statements)
    assert raised.value.message == text
    assert len(run_statement(jobs, "SELECT p FROM jobs")["Items"]) == 1


def test_a_batch_of_reads(jobs: Tables) -> None:
    """A batch reads items by their whole keys only."""
    answer = batch(jobs, f"SELECT n FROM jobs WHERE {KEY}", "SELECT n FROM jobs WHERE p = 'a'")["Responses"]

    text = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
    assert answer == [{"TableName": "jobs", "Item": {"n": {"N": "5"}}}, _failed("ValidationError", text, "jobs")]


def transact(jobs: Tables, *statements: str, **given: Any) -> Any:
    """Execute a transaction."""
    parts = [{"Statement": one} for one in statements]
    return jobs.call("ExecuteTransaction", TransactStatements=parts, **given)


INSERT = "INSERT INTO jobs VALUE {'p': 'b', 's': 1}"


@pytest.mark.parametrize(
    ("statements", "codes"),
    [
        ([INSERT, "INSERT INTO jobs VALUE {'p': 'a', 's': 1}"], ["None", "DuplicateItem"]),
        ([INSERT, f"UPDATE jobs SET n = 1 WHERE {KEY} AND n = 6"], ["None", "ConditionalCheckFailed"]),
        ([INSERT, f"EXISTS(SELECT * FROM jobs WHERE {KEY} AND n = 6)"], ["None", "ConditionalCheckFailed"]),
        ([INSERT, f"UPDATE jobs SET zz.a = 1 WHERE {KEY}"], ["None", "ValidationError"]),
        ([INSERT, "INSERT INTO jobs VALUE {'p': 'c'}"], ["None", "ValidationError"]),
    ],
)
def test_a_cancelled_transaction(jobs: Tables, statements: list[str], codes: list[str]) -> None:
    """A transaction of which a statement fails does nothing, and has a reason for each."""
    with pytest.raises(AwsError) as raised:
        transact(jobs, *statements)

    assert raised.value.code == "TransactionCanceledException"
    reasons: Any = raised.value.members["CancellationReasons"]
    assert [one["Code"] for one in reasons] == codes
    assert len(run_statement(jobs, "SELECT p FROM jobs")["Items"]) == 1


PLACE = "Validation failed in TransactStatements[0]:"


@pytest.mark.parametrize(
    ("statements", "text"),
    [
        (
            [f"SELECT * FROM jobs WHERE {KEY}", INSERT],
            "ExecuteTransaction API does not support both read and write operations in the same request.",
        ),
        (
            ["SELECT * FROM jobs WHERE p = 'a'"],
            f"{PLACE} Select statements within ExecuteTransaction must specify the primary key in the where clause.",
        ),
        (
            [f"EXISTS(SELECT * FROM jobs WHERE {KEY})"],
            f"{PLACE} EXISTS() must contain a single item read with additional condition",
        ),
        (
            [f"DELETE FROM jobs WHERE {KEY} RETURNING ALL OLD *"],
            f"{PLACE} RETURNING clause is not supported in ExecuteTransaction.",
        ),
        ([INSERT, INSERT], "Transaction request cannot include multiple operations on one item"),
    ],
)
def test_a_transaction_that_is_refused(jobs: Tables, statements: list[str], text: str) -> None:
    """A transaction whose statements do not fit is refused as a whole."""
    with pytest.raises(AwsError) as raised:
        transact(jobs, *statements)
    assert raised.value.message == text


def test_a_transaction(jobs: Tables) -> None:
    """A transaction writes all; with the same token again it does nothing; another one reads."""
    check = f"EXISTS(SELECT * FROM jobs WHERE {KEY} AND n = 5)"
    assert transact(jobs, check, INSERT, ClientRequestToken="t") == {"Responses": []}
    assert transact(jobs, check, INSERT, ClientRequestToken="t") == {"Responses": []}

    found = transact(jobs, "SELECT s FROM jobs WHERE p = 'b' AND s = 1", "SELECT s FROM jobs WHERE p = 'z' AND s = 1")

    assert found == {"Responses": [{"Item": {"s": {"N": "1"}}}, {}]}
