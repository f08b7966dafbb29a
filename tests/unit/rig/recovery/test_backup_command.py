"""`orderboard backup`: what it prints and asks, on localbus."""

import json

import pytest
from orderboard.cli.app import app
from orderboard.system import connect
from orderboard_contracts.identity import new_order_id
from typer.testing import CliRunner, Result
from unit.rig.recovery.bar import TABLE, Bar, placed_order


@pytest.fixture(autouse=True)
def _connected(bar: Bar, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the bar."""
    monkeypatch.setattr(connect, "connect", lambda *_: bar.target)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["backup", *arguments])


def test_a_backup_is_made_listed_and_restored(bar: Bar) -> None:
    """Each command has its document, and a table that is gone comes back without a question."""
    row = bar.make(placed_order(new_order_id(), bar.now()))

    made = json.loads(_run("create", "--name", "nightly", "--json").stdout)
    bar.client.delete_table(TableName=TABLE)
    listed = json.loads(_run("list", "--json").stdout)
    shown = _run("list").stdout
    restored = _run("restore", "--json", "--yes")

    assert (made["name"], made["table"], made["kind"], made["status"]) == ("nightly", TABLE, "USER", "AVAILABLE")
    assert [each["kind"] for each in listed["backups"]] == ["SYSTEM", "USER"]
    assert listed["restorable"] is None
    assert "of the deleted table" in shown
    assert "Points in time: none, as the table is gone" in shown
    assert json.loads(restored.stdout)["put_back"] == ["time to live (expires_at)", "point-in-time recovery (35 days)"]
    assert bar.rows() == {row.order_id: row}


def test_a_table_is_deleted_only_with_consent(bar: Bar) -> None:
    """The restore says that it deletes the table, and without --yes changes nothing."""
    row = bar.make(placed_order(new_order_id(), bar.now()))
    _run("create", "--name", "nightly")

    refused = _run("restore")
    two = _run("restore", "nightly", "--at", "15m")
    elsewhere = _run("restore", "nightly", "--yes", "--account", "111122223333")

    assert refused.exit_code == 2
    assert f"DELETES the table {TABLE} (1 items" in refused.stderr
    assert refused.stderr.endswith("orderboard: Nothing was done. Add --yes to confirm.\n")
    assert bar.rows() == {row.order_id: row}
    assert "--account 111122223333: the backend embedded is on this machine." in elsewhere.stderr
    assert two.stderr == "orderboard: A backup and --at are two states. Give one.\n"


@pytest.mark.parametrize("time", ["0s", "2999-01-01T00:00:00Z"])
def test_orders_of_the_future_are_not_sent_again(time: str) -> None:
    """No replay can begin at its end, so it is refused before EventBridge says so."""
    refused = _run("resend", "--from", time)

    assert (refused.exit_code, refused.stderr) == (2, f"orderboard: --from '{time}': expected a time in the past.\n")


@pytest.mark.parametrize(("backend", "why"), [("localstack", "DynamoDB Local"), ("ministack", "any point in time")])
def test_a_backend_that_cannot_restore(backend: str, why: str) -> None:
    """The drill is refused before anything starts."""
    refused = _run("drill", "--backend", backend)

    assert refused.exit_code == 2
    assert f"The backend {backend} cannot restore tables: " in refused.stderr
    assert why in refused.stderr
