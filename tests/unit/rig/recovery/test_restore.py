"""Restores of the orders table on localbus: whole, under its name, with its settings, and interrupted anywhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from order_api.placement import cancellation_requested
from orderboard.errors import RigError, UsageError
from orderboard.recovery import backups, settings, tables
from orderboard.recovery.plan import plan
from orderboard.recovery.restore import restore
from orderboard.system.target import Target
from orderboard_contracts.identity import new_order_id
from orderboard_contracts.record import OrderRecord
from support.stack import sends_by
from unit.rig.recovery.bar import OUTPUTS, TABLE, Bar, placed_order, rebuilt
from unit.worker.commands import TRACE


def _listen(bar: Bar) -> str:
    """Return the URL of a queue that gets every event of the bus, as the alerts' rules do."""
    url = bar.target.sqs.create_queue(QueueName="listener", Attributes=sends_by("events"))["QueueUrl"]
    bar.target.events.put_rule(Name="all", EventBusName="bar", EventPattern='{"source": [{"prefix": "orderboard"}]}')
    arn = "arn:aws:sqs:us-east-1:000000000000:listener"
    bar.target.events.put_targets(Rule="all", EventBusName="bar", Targets=[{"Id": "listener", "Arn": arn}])
    return url


def _new(bar: Bar, **given: Any) -> OrderRecord:
    return bar.make(placed_order(new_order_id(), bar.now(), **given))


def test_a_table_is_lost_after_its_backup(bar: Bar) -> None:
    """It comes back with the backup's rows as they were and the rows of what came later, and no event is sent again."""
    old = _new(bar)
    backup = backups.create(bar.target, "nightly")
    waited = placed_order(new_order_id(), bar.now() - timedelta(days=1))
    new = [bar.make(waited), _new(bar, sku="cinnamon-bun"), _new(bar, quantity=3)]
    bar.client.delete_table(TableName=TABLE)
    listener = _listen(bar)

    restored = bar.restore("nightly")

    assert bar.rows() == {old.order_id: old} | {row.order_id: rebuilt(row) for row in new}
    assert (restored.written.rows, restored.written.tombstones, restored.facts) == (3, 0, 8)
    assert (restored.cut, restored.incomplete) == (backup.created, ())
    assert bar.target.sqs.receive_message(QueueUrl=listener).get("Messages", []) == []
    assert bar.client.list_tables()["TableNames"] == [TABLE]
    assert [each.name for each in backups.listed(bar.target)] == [f"{TABLE}$DeletedTableBackup", "nightly"]
    assert backups.of_table(bar.target, f"{TABLE}-restoring") == []
    assert bar.target.events.list_rules(EventBusName="bar", NamePrefix="bar-outcomes")["Rules"] == []


def test_damaged_rows_are_undone(bar: Bar) -> None:
    """A point in time before a bad deploy, with the facts after it, is what the table should be; settings stay."""
    before = _new(bar)
    bar.later(minutes=10)
    good = bar.now()
    after = _new(bar)
    for row in (before, after):
        bar.client.update_item(
            TableName=TABLE,
            Key={"order_id": {"S": row.order_id}},
            UpdateExpression="SET total_cents = :zero",
            ExpressionAttributeValues={":zero": {"N": "0"}},
        )
    had = settings.read(bar.client, TABLE)
    bar.later(minutes=6)  # only times five minutes ago can be restored

    restored = bar.restore(at=good - timedelta(seconds=1))

    assert bar.rows() == {before.order_id: before, after.order_id: rebuilt(after)}
    assert had == settings.TableSettings("expires_at", 20, None, protected=False, tags={"team": "bar"})
    assert settings.read(bar.client, TABLE) == had
    assert restored.put_back == ("time to live (expires_at)", "point-in-time recovery (20 days)", "1 tag")


def test_a_deleted_table_has_a_last_state(bar: Bar) -> None:
    """Without naming a backup, the system backup is restored at once: it has everything, so no fact is read."""
    rows = [_new(bar), _new(bar)]
    backups.create(bar.target, "older")
    rows.append(_new(bar))
    bar.client.delete_table(TableName=TABLE)

    restored = bar.restore()

    assert bar.rows() == {row.order_id: row for row in rows}
    assert (restored.source, restored.facts) == (f"the backup {TABLE}$DeletedTableBackup", 0)
    assert settings.read(bar.client, TABLE) == settings.TableSettings("expires_at")


def test_an_archive_without_a_fact(bar: Bar) -> None:
    """A system without an order has nothing to add, and its table comes back empty."""
    backups.create(bar.target)

    restored = bar.restore()

    assert (restored.facts, restored.written.rows, restored.incomplete) == (0, 0, ())
    assert bar.rows() == {}


def test_a_cancellation_without_its_order(bar: Bar) -> None:
    """A tombstone that the backup lacks is rebuilt, so that the order is cancelled when it comes."""
    backups.create(bar.target)
    request = cancellation_requested(new_order_id(), reason="too slow", at=bar.now(), trace=TRACE)
    bar.publish(request)

    assert bar.restore().written.tombstones == 1

    found = bar.rows()[request.subject]
    assert (found.status, found.cancel_reason, found.recorded_at) == ("cancellation_pending", "too slow", request.time)


def test_an_order_from_a_dead_letter_queue(bar: Bar) -> None:
    """An order that was accepted before the queues' retention is found in the rest of the archive."""
    placed = placed_order(new_order_id(), bar.now())
    bar.publish(placed)
    bar.later(days=5)
    backups.create(bar.target)
    row = bar.make(placed_order(placed.subject, placed.time))
    bar.client.delete_table(TableName=TABLE)

    assert bar.restore(backups.listed(bar.target)[1].arn).incomplete == ()
    assert bar.rows() == {row.order_id: rebuilt(row)}


def _stop_at(bar: Bar, operation: str, times: int) -> Callable[[], None]:
    """Interrupt the call of an operation before it is sent, as Ctrl-C may; return how to end that."""
    calls = 0

    def interrupt(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == times:
            raise KeyboardInterrupt

    event = f"before-call.dynamodb.{operation}"
    bar.client.meta.events.register(event, interrupt)
    return partial(bar.client.meta.events.unregister, event, interrupt)


@pytest.mark.parametrize(
    ("operation", "times", "left"),
    [
        ("TagResource", 1, "is as it was"),
        ("DeleteTable", 1, "is as it was"),
        ("PutItem", 2, "does not exist"),
        ("RestoreTableFromBackup", 2, "does not exist"),
        ("UpdateContinuousBackups", 1, "is restored, but"),
        ("DeleteBackup", 1, "is restored, but"),
        ("DeleteTable", 2, "is restored, but"),
    ],
)
def test_an_interrupted_restore_goes_on(bar: Bar, operation: str, times: int, left: str) -> None:
    """It says what is left; run again, without a word about its source, it ends as if nothing had happened."""
    old = _new(bar)
    backups.create(bar.target, "nightly")
    new = [_new(bar), _new(bar)]
    had, end = settings.read(bar.client, TABLE), _stop_at(bar, operation, times)
    with pytest.raises(KeyboardInterrupt, match=f"{TABLE} {left}.*Go on: orderboard backup restore"):
        bar.restore("nightly")
    end()

    bar.restore()

    assert bar.rows() == {old.order_id: old} | {row.order_id: rebuilt(row) for row in new}
    assert settings.read(bar.client, TABLE) == had
    assert bar.client.list_tables()["TableNames"] == [TABLE]


def test_refusals(bar: Bar) -> None:
    """An impossible restore is refused with the fix, before anything is changed."""
    with pytest.raises(RigError, match=r"has no backup. Make one: orderboard backup create"):
        bar.restore()
    with pytest.raises(UsageError, match=r"--name 'a b': expected 3 to 255 letters"):
        backups.create(bar.target, "a b")
    with pytest.raises(UsageError, match=r"expected a time from .* five minutes ago"):
        bar.restore(at=datetime(2020, 1, 1, tzinfo=UTC))
    made = backups.create(bar.target, "nightly")
    with pytest.raises(UsageError, match=r"has no backup 'weekly'. Show them: orderboard backup list"):
        bar.restore("weekly")
    with pytest.raises(UsageError, match="is not a backup of the account 000000000000 in us-east-1"):
        bar.restore(made.arn.replace("000000000000", "111122223333"))
    backups.create(bar.target, "nightly")
    with pytest.raises(UsageError, match="2 backups have the name 'nightly'"):
        bar.restore("nightly")
    bar.client.update_table(TableName=TABLE, DeletionProtectionEnabled=True)
    with pytest.raises(RigError, match=r"protected against deletion.*--no-deletion-protection-enabled"):
        bar.restore(made.arn)
    bar.client.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    bar.client.delete_table(TableName=TABLE)
    with pytest.raises(RigError, match=r"is gone.*system backup: orderboard backup restore"):
        bar.restore(latest=True)
    with pytest.raises(RigError, match=f"The table {TABLE} does not exist. Restore it: orderboard backup restore"):
        backups.create(bar.target)
    assert OUTPUTS.orders_table not in bar.client.list_tables()["TableNames"]


def test_another_restore_is_not_mixed_in(bar: Bar) -> None:
    """A temporary table of another state is not used; --start-over removes it, while the table is still there."""
    row = _new(bar)
    backups.create(bar.target, "first")
    backups.create(bar.target, "second")
    end = _stop_at(bar, "DeleteTable", 1)
    with pytest.raises(KeyboardInterrupt):
        bar.restore("first")
    end()

    with pytest.raises(UsageError, match=r"another state.*--start-over"):
        bar.restore("second")
    bar.restore("second", starts_over=True, replays=False)

    assert bar.rows() == {row.order_id: row}


def test_an_unknown_state_does_not_end_an_interrupted_restore(bar: Bar) -> None:
    """--start-over deletes what has been restored only when the other restore can begin."""
    _new(bar)
    backups.create(bar.target, "nightly")
    end = _stop_at(bar, "DeleteTable", 1)
    with pytest.raises(KeyboardInterrupt):
        bar.restore("nightly")
    end()

    with pytest.raises(UsageError, match="has no backup 'weekly'"):
        bar.restore("weekly", starts_over=True)

    assert bar.client.list_tables()["TableNames"] == [TABLE, f"{TABLE}-restoring"]


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ("RestoreTableFromBackup", "does not exist: .*"),
        ("UpdateTimeToLive", "is restored, but its settings may not be"),
    ],
)
def test_an_interrupted_restore_of_one_backup_names_it(bar: Bar, operation: str, left: str) -> None:
    """Without facts to add no temporary table knows it, and DynamoDB's own backup is newer."""
    row = _new(bar)
    backup = backups.create(bar.target, "nightly")
    _new(bar)
    bar.client.delete_table(TableName=TABLE)
    end = _stop_at(bar, operation, 1)
    with pytest.raises(KeyboardInterrupt, match=rf"{TABLE} {left}\. Go on: .* {backup.arn} --without-replay"):
        bar.restore("nightly", replays=False)
    end()

    again = plan(bar.target, backup.arn, None, latest=False, replays=False, starts_over=False)
    assert str(again).startswith(
        "This goes on" if operation == "UpdateTimeToLive" else "This restores the backup nightly"
    )
    restore(again, bar.screen)

    assert bar.rows() == {row.order_id: row}
    assert settings.read(bar.client, TABLE) == settings.TableSettings("expires_at")


@pytest.mark.parametrize("was_there", [True, False])
def test_of_two_restores_at_once_one_ends(bar: Bar, *, was_there: bool) -> None:
    """The other, planned before the first brought the table back, does not delete it again."""
    rows = [_new(bar)]
    backups.create(bar.target, "nightly")
    rows.append(_new(bar))
    if not was_there:
        bar.client.delete_table(TableName=TABLE)
    nightly = backups.listed(bar.target)[-1].arn
    second = plan(bar.target, nightly, None, latest=False, replays=True, starts_over=False)
    bar.restore(nightly)

    with pytest.raises(RigError, match=f"Another restore has made {TABLE} meanwhile"):
        restore(second, bar.screen)

    assert bar.rows() == {rows[0].order_id: rows[0], rows[1].order_id: rebuilt(rows[1])}


def test_of_two_that_go_on_one_ends(bar: Bar) -> None:
    """Both use the temporary table of an interrupted restore; the first to end removes it, which the other says."""
    old = _new(bar)
    backups.create(bar.target, "nightly")
    new = _new(bar)
    end = _stop_at(bar, "PutItem", 1)
    with pytest.raises(KeyboardInterrupt):
        bar.restore("nightly")
    end()
    first: list[Any] = [bar.restore]

    def be_faster(**_: Any) -> None:
        if first:
            first.pop()()

    bar.client.meta.events.register("before-call.dynamodb.BatchGetItem", be_faster)

    with pytest.raises(RigError, match="Another restore has ended meanwhile"):
        bar.restore()

    assert bar.rows() == {old.order_id: old, new.order_id: rebuilt(new)}


def test_a_table_that_is_being_made_is_deleted_later(bar: Bar, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB refuses to delete it before: ResourceInUseException."""
    states = iter(("CREATING", "UPDATING"))
    looks: list[str] = []
    describe = tables.described

    def described(target: Target, name: str) -> tables.Table | None:
        found = describe(target, name)
        return found and replace(found, status=next(states, found.status))

    monkeypatch.setattr(tables, "described", described)

    tables.delete(bar.target, TABLE, looks.append)

    assert looks == ["creating", "updating"]
    assert bar.client.list_tables()["TableNames"] == []


def test_the_loss_to_wait_for(bar: Bar) -> None:
    """The backup that DynamoDB made of a deleted table tells when it was lost, unless it is of an earlier loss."""
    bar.client.delete_table(TableName=TABLE)
    earlier = backups.listed(bar.target)
    bar.restore()
    bar.later(minutes=1)
    cut = backups.create(bar.target, "nightly").created
    bar.later(minutes=1)
    lost_at = bar.now()
    bar.client.delete_table(TableName=TABLE)

    assert [each.kind for each in earlier] == ["SYSTEM"]
    assert backups.lost_after(cut, earlier) is None
    assert backups.lost_after(cut, backups.listed(bar.target)) == lost_at
