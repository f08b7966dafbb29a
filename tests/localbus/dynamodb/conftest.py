"""Fixtures of DynamoDB: no tables, and a table with indexes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.dynamodb import JOB, Tables


@pytest.fixture
def tables() -> Iterator[Tables]:
    """DynamoDB without tables."""
    found = Tables()
    yield found
    found.state.stop()


@pytest.fixture
def shop(tables: Tables) -> Tables:
    """The table `orders`: customers and times; by status (keys only) and, within a customer, by total (with `note`)."""
    tables.create(
        "orders",
        "customer:S",
        "time:N",
        both=[("by-status", "status:S", "time:N", "KEYS_ONLY")],
        local=[("by-total", "customer:S", "total:N", ["note"])],
    )
    return tables


@pytest.fixture
def jobs(tables: Tables) -> Tables:
    """The table `jobs` with one item; its index by-t has keys only."""
    tables.create("jobs", "p:S", "s:N", both=[("by-t", "t:S", "KEYS_ONLY")])
    tables.call("PutItem", TableName="jobs", Item=JOB)
    return tables
