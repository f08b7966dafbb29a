"""`orderboard backup`: backups of the orders table, restores that lose nothing, and the drill that proves it."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from orderboard.cli.options import (
    AccountOption,
    BackendOption,
    EndpointOption,
    JsonOption,
    StackNameOption,
    WorkersOption,
)
from orderboard.errors import UsageError
from orderboard.system.command_line import to_paste
from orderboard.terminal.progress import confirm, print_json, progress_screen, result_console
from orderboard.terminal.tables import plain_table, verdict

if TYPE_CHECKING:
    from orderboard.recovery.drill import Drill
    from orderboard.recovery.restore import Restored
    from orderboard.system.target import Target

HELP: Final = "Back up the orders table, restore it with all that came later, and rehearse its loss."
_LATEST: Final = "latest"
_SHOWN: Final = 10

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def create(
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", help="The backup's name.", metavar="NAME", show_default="the table's and the time"),
    ] = None,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    account: AccountOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Back the orders table up, on demand. Orders go on meanwhile."""
    from orderboard.recovery.backups import create as make

    target = _target(backend, endpoint_url, stack_name)
    _consent(target, account, "", yes=yes)
    with progress_screen() as screen, screen.task(f"Backup of {target.outputs.orders_table}"):
        made = make(target, name)
    if json_output:
        print_json(made.document())
    else:
        result_console().print(f" {made.name}: {made.size_bytes:,} bytes, {made.arn}", markup=False, soft_wrap=True)


def list_backups(
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """List the backups of the orders table, and the times to which it can be restored."""
    from orderboard.recovery.backups import listed, window

    target = _target(backend, endpoint_url, stack_name)
    found, times = listed(target), window(target)
    if json_output:
        restorable = None if times is None else {name: each.isoformat() for name, each in vars(times).items()}
        print_json({"backups": [each.document() for each in found], "restorable": restorable})
        return
    console, table = result_console(), plain_table("Backups", "name", "made", "kind", "expires", numbers=["bytes"])
    for each in found:
        kind = "on demand" if each.kind == "USER" else "of the deleted table"
        expires = "never" if each.expires is None else f"{each.expires:%Y-%m-%d}"
        table.add_row(each.name, f"{each.created:%Y-%m-%d %H:%M:%SZ}", kind, expires, f"{each.size_bytes:,}")
    console.print(table if found else " No backup. Make one: orderboard backup create")
    if times is not None:
        console.print(f" Points in time: {times.earliest:%Y-%m-%d %H:%M:%SZ} to {times.latest:%Y-%m-%d %H:%M:%SZ}")
    else:
        console.print(" Points in time: none, as the table is gone or point-in-time recovery is off")


def restore(
    backup: Annotated[
        str | None,
        typer.Argument(help="A backup's name or ARN; without it, the newest one.", show_default=False),
    ] = None,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="A point in time instead of a backup: how long ago (15m), a time (ISO 8601), or latest.",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    without_replay: Annotated[
        bool,
        typer.Option("--without-replay", help="Restore that state only, without what came later."),
    ] = False,
    start_over: Annotated[
        bool, typer.Option("--start-over", help="Leave an interrupted restore, and begin with this one.")
    ] = False,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    account: AccountOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Restore the orders table under its name, with the rows of the orders that ended after the backup.

    Those rows follow from the facts in the archive of the bus: no order is made again, and no alert is sent again.
    Orders are accepted meanwhile; workers wait for the table. An interrupted restore goes on when you run it again.
    """
    from orderboard.orders.replay import read_time
    from orderboard.recovery.plan import plan
    from orderboard.recovery.restore import restore as run
    from orderboard.system.localbus import now_at

    if backup is not None and at is not None:
        raise UsageError("A backup and --at are two states. Give one.")
    target = _target(backend, endpoint_url, stack_name)
    latest = at == _LATEST
    time = None if at is None or latest else read_time("--at", at, now_at(target.endpoint)).replace(microsecond=0)
    if start_over:
        _consent(target, account, "This deletes what the interrupted restore has restored.", yes=yes)
    planned = plan(target, backup, time, latest=latest, replays=not without_replay, starts_over=start_over)
    _consent(target, account, str(planned), yes=yes)
    with progress_screen() as screen:
        restored = run(planned, screen)
    if json_output:
        print_json(document(restored))
    else:
        _show(restored, local=target.endpoint.local)
    raise typer.Exit(1 if restored.incomplete else 0)


def resend(
    *,
    begin: Annotated[
        str,
        typer.Option("--from", help="The first order: how long ago (4d), or a time (ISO 8601).", metavar="TIME"),
    ] = "4d",
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    account: AccountOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Publish accepted orders again that have not ended and are in no dead-letter queue, as after the purge of a queue.

    They are found in the archive of the bus. A message that was not lost does no harm: workers make each order once.
    """
    from orderboard.orders.replay import read_time
    from orderboard.recovery.resend import resend as run
    from orderboard.system.localbus import now_at

    target = _target(backend, endpoint_url, stack_name)
    now = now_at(target.endpoint)
    if (since := read_time("--from", begin, now)) >= now:
        raise UsageError(f"--from {begin!r}: expected a time in the past.")
    _consent(target, account, "", yes=yes)
    with progress_screen() as screen, screen.task("Orders without an outcome") as task:
        found = run(target, since, task.detail)
    if json_output:
        print_json(found)
        return
    text = f" Sent again: {found.sent:,} of {found.facts:,} facts."
    if found.dead_lettered:
        text += f" Left in dead-letter queues: {found.dead_lettered:,} orders; `orderboard redrive` moves them."
    result_console().print(to_paste(text), markup=False, soft_wrap=True)


def drill(
    *,
    orders: Annotated[int, typer.Option(min=50, max=1_000_000, metavar="N", help="Number of orders.")] = 1_000,
    rate: Annotated[float, typer.Option(min=1, max=10_000, help="Orders a second.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same orders.")] = 1,
    workers: WorkersOption = 1,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    account: AccountOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Rehearse: a new system under load loses its orders table, and gets it back. Exit 0 only if the ledger balances.

    After a quarter of the orders a backup is made; after half of them the table is deleted. It is restored from that
    backup, although DynamoDB has a newer one of the deleted table, and the facts of the archive add the rest.
    """
    from orderboard.burst.measured_system import Where
    from orderboard.recovery.drill import run_drill
    from orderboard.system.backends import account_line
    from orderboard.system.connect import find_endpoint

    if backend == "aws":
        account_line(find_endpoint(backend, endpoint_url)[0], account)
    elif account is not None:
        raise UsageError(f"--account {account}: it is for --backend aws. Leave it out.")
    with progress_screen() as screen:
        result = run_drill(
            Where(backend, endpoint_url, None, yes), screen, orders=orders, rate=rate, seed=seed, workers=workers
        )
    if json_output:
        print_json(drill_document(result))
    else:
        _show_drill(result)
    raise typer.Exit(0 if result.passed else 1)


def document(restored: "Restored") -> dict[str, Any]:
    """Return a restore for --json."""
    back_at = None if restored.back_at is None else restored.back_at.isoformat()
    return asdict(restored) | {"cut": restored.cut.isoformat(), "back_at": back_at}


def drill_document(result: "Drill") -> dict[str, Any]:
    """Return a drill for --json."""
    return {
        "passed": result.passed,
        "seed": result.seed,
        **asdict(result.measured),
        "restored": document(result.loss.restored),
        "backup": result.loss.backup.document(),
        "lost_at": result.loss.lost_at.isoformat(),
        "redriven": result.loss.redriven,
        "workers": asdict(result.workers),
        "verdict": result.verdict.model_dump(mode="json"),
        "logs_dir": None if result.logs_dir is None else str(result.logs_dir),
    }


def _target(backend: Any, endpoint_url: str | None, stack_name: str | None) -> "Target":
    from orderboard.system.connect import connect

    return connect(backend, endpoint_url, stack_name)


def _consent(target: "Target", account: str | None, text: str, *, yes: bool) -> None:
    """Name the AWS account and what will be done, and go on only with the user's consent."""
    from orderboard.system.backends import account_line

    if target.endpoint.local and account is not None:
        raise UsageError(f"--account {account}: the backend {target.endpoint.name} is on this machine. Leave it out.")
    if target.endpoint.local and not text:
        return
    account_text = "" if target.endpoint.local else account_line(target.endpoint, account)
    confirm(f"{account_text} {text}".strip(), yes=yes)


def _show(restored: "Restored", *, local: bool) -> None:
    from orderboard.recovery.settings import NOT_PUT_BACK

    console, written, missing = result_console(), restored.written, restored.incomplete
    text = f"{restored.table} is back: {restored.source}"
    if restored.facts:
        text += f", and of {restored.facts:,} facts {written.rows:,} rows and {written.tombstones:,} tombstones"
    console.print(verdict(console, text, good=not missing))
    lines = [f"Put back: {', '.join(restored.put_back) or 'no setting'}."]
    lines += [] if local else [NOT_PUT_BACK]
    lines += [f"Without the table for {restored.absent_s:.1f} s. Workers go on by themselves."]
    if missing:
        more = f", and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        lines += [
            f"Missing: {', '.join(missing[:_SHOWN])}{more}. They ended, but the archive does not have their acceptance."
        ]
    for line in lines:
        console.print(f"   {line}", markup=False, soft_wrap=True)


def _show_drill(result: "Drill") -> None:
    console, measured, restored = result_console(), result.measured, result.loss.restored
    table = plain_table("The loss of the orders table, under load", "", numbers=["seconds"])
    for name, seconds in {
        "RPO of the backup: data that it lacked": measured.rpo_before_s,
        "RPO with the facts of the archive": measured.rpo_s,
        "without the table": restored.absent_s,
        "RTO: until an order was finished again": measured.rto_first_s,
        "RTO: until all were that waited": measured.rto_all_s,
    }.items():
        table.add_row(name, "never" if seconds is None else f"{seconds:.1f}")
    console.print()
    console.print(table)
    console.print()
    found, workers = result.verdict, result.workers
    answered = "" if measured.slowest_answer_ms is None else f", each within {measured.slowest_answer_ms:,.0f} ms"
    for line in (
        f"Rebuilt from {restored.facts:,} facts: {restored.written.rows:,} rows, {restored.written.tombstones:,} "
        f"tombstones. Of {measured.finished_before:,} orders that had ended, {len(measured.missing):,} are missing.",
        f"Meanwhile {measured.accepted_meanwhile:,} orders were accepted{answered}.",
        f"Workers: {workers.pauses:,} pauses of the circuit breaker, {workers.recoveries:,} recoveries, "
        f"{workers.returned:,} messages returned, {result.loss.redriven:,} redriven from dead-letter queues.",
    ):
        console.print(f" {line}", markup=False)
    console.print()
    parts = [f"{found.completed} completed", f"{found.rejected} rejected", f"{found.cancelled} cancelled"]
    text = f"{found.acknowledged:,} accepted = {' + '.join(parts)} + {found.dead_lettered} dead-lettered"
    if result.passed:
        console.print(verdict(console, f"The ledger balances: {text}", good=True))
        return
    differences = f"{found.lost} lost, {found.duplicated} duplicated, {found.unexpected} unexpected"
    console.print(verdict(console, f"The drill failed: {text}; {differences}", good=False))
    for finding in found.findings[:_SHOWN]:
        console.print(f"   {finding.text}", markup=False)
    console.print(f" Logs: {result.logs_dir}", markup=False)


COMMANDS: Final = (
    ("create", create, ("orderboard backup create", "orderboard backup create --name before-the-migration")),
    ("list", list_backups, ("orderboard backup list", "orderboard backup list --json")),
    (
        "restore",
        restore,
        (
            "orderboard backup restore",
            "orderboard backup restore before-the-migration",
            "orderboard backup restore --at 2026-01-01T08:00:00Z",
        ),
    ),
    ("resend", resend, ("orderboard backup resend", "orderboard backup resend --from 2h")),
    ("drill", drill, ("orderboard backup drill", "orderboard backup drill --orders 5000 --rate 200 --workers 2")),
)
