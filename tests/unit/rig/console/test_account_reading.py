"""The pace of the page of resources: many viewers cost a backend what one does, and AWS only what the user asks for."""

from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import pytest
from orderboard.console.account.reading import Account
from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.resources.inventory import Inventory
from orderboard.system.target import Connection
from orderboard_stack.backend import BackendName, Endpoint

READER = "orderboard.console.account.reading.read_by_api"


def _account(backend: BackendName) -> Account:
    connection = Connection(Endpoint(backend, None if backend == "aws" else "http://127.0.0.1:1"))
    source: Any = SimpleNamespace(
        reachable_connection=lambda: connection, connection=lambda: connection, localbus=lambda: None
    )
    return Account(cast(Source, source))


@pytest.mark.parametrize(("backend", "every_s"), [("localstack", 15.0), ("aws", None)])
def test_a_backend_is_read_once_for_all_viewers(backend: BackendName, every_s: float | None) -> None:
    """Each viewer gets the same reading, until one asks for a fresh one or, on a local backend, ten seconds pass."""
    account = _account(backend)
    with (
        mock.patch(READER, return_value=Inventory(0.0)) as read,
        mock.patch("time.monotonic", return_value=100.0) as now,
    ):
        documents = [account.document() for _ in range(10)]
        assert read.call_count == 1
        account.document(fresh=True)
        assert read.call_count == 2
        now.return_value += 3600
        account.document()

    assert read.call_count == (2 if backend == "aws" else 3)
    assert documents[0]["every_s"] == every_s


def test_what_only_localbus_has_says_so() -> None:
    """The page has the reason in place of a journal; a request for it is refused with the same."""
    account = _account("localstack")
    with mock.patch(READER, return_value=Inventory(0.0, unread={"mapping": "The backend did not list them: no"})):
        document = account.document()

        assert document["unread"] == {"mapping": "The backend did not list them: no"}
        assert document["why_no_journal"].startswith("Only localbus keeps a journal of messages; the backend is local")
        with pytest.raises(UsageError, match="Only localbus keeps a journal"):
            account.engine()
