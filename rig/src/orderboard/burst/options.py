"""The options of a burst, annotated for the command line: they join its signature. `plan` checks them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from orderboard.burst.scenario.defaults import DEFAULT_MIX, MAX_CLIENTS, MAX_GENERATORS

_METRICS_HELP: Final = (
    "A threshold, such as 'accept_p99<50ms' or 'refused<1%'; exit 99 when it is missed. Latencies: accept_ and "
    "end_to_end_ each with mean, max or any percentile, such as p50, p99.9 or p999; those of a step, step_waiting_p99, "
    "also of accept, sns_to_queue, working, outcome, alert and queue, each with mean, p50, p90, p99 or max. Times: "
    "load, drain, settled. "
    "Orders, as a number or a share in %: attempted, acknowledged, refused, refused_unmeant, unavailable, unreached, "
    "finished, completed, rejected, cancelled, dead_lettered, dead_lettered_duplicates, lost, duplicated, recovered, "
    "unexpected, unsettled, generator_late, generator_not_sent. Others: accepted_per_s, finished_per_s, peak_backlog, "
    "generator_lag_p99_ms, requests_per_1000_orders, usd_per_1000_orders, memory_mb. Latencies and answers also of "
    "some orders, by kind, stream and phase: 'accept_p99{phase=after}<200ms'; phases are before, during and after "
    "faults."
)
_Times = list[str] | None


def _load(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The load", **more)


def _fault(help_text: str, metavar: str, **more: Any) -> Any:
    return typer.Option(help=help_text, rich_help_panel="Faults", metavar=metavar, **{"show_default": False, **more})


def _target(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The system", show_default=False, **more)


def _result(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The result", **more)


@dataclass(frozen=True, kw_only=True)
class BurstOptions:
    """Options as typed; None where an option was left out."""

    orders: Annotated[
        int | None,
        _load(
            "Number of orders. Give at most two of --orders, --duration and --rate; default 100 a second for 20 s.",
            min=1,
            show_default=False,
            metavar="N",
        ),
    ] = None
    duration: Annotated[
        str | None, _load("Length of the load, such as 40s or 2m.", show_default="20s", metavar="TIME")
    ] = None
    rate: Annotated[float | None, _load("Mean number of orders a second.", show_default="100", metavar="RATE")] = None
    profile: Annotated[
        str | None,
        _load(
            "constant, ramp, spike, sawtooth or poisson; with settings: sawtooth:teeth=8, spike:factor=20,at=0.5 "
            "(at and lasts are shares of the duration).",
            show_default="constant",
            metavar="PROFILE",
        ),
    ] = None
    stage: Annotated[
        _Times,
        _load(
            "A stage of the load: 30s:100 sends 100 orders a second for 30 s, 1m:100..400 goes from 100 to 400. With a "
            "c, a stage of clients, as of --clients: 1m:10c..50c. Repeatable.",
            metavar="TIME:RATE[..RATE]",
            show_default=False,
        ),
    ] = None
    clients: Annotated[
        int | None,
        _load(
            "Closed model instead of a rate: so many clients, each of which sends the next order after the answer to "
            "the last. A slow system then gets less load, and the wait before sending is not measured.",
            min=1,
            max=MAX_CLIENTS,
            show_default=False,
            metavar="N",
        ),
    ] = None
    scale: Annotated[
        float | None,
        _load(
            "Every rate, of every stream and of a trace, times this: 2.5 sends two and a half times the orders in the "
            "same time.",
            metavar="FACTOR",
            show_default="1",
        ),
    ] = None
    think: Annotated[
        str | None,
        _load(
            "Pause of a client between an answer and its next order, such as 100ms.", show_default="0s", metavar="TIME"
        ),
    ] = None
    trace: Annotated[
        Path | None,
        _load("Send times from a file, one a line, in seconds or ISO 8601.", show_default=False, metavar="FILE"),
    ] = None
    mix: Annotated[
        str | None,
        _load(
            "Percent of each kind: express, large, sold_out, invalid, duplicate, cancel, flaky, slow, poison; the rest "
            f"is normal. Default: {DEFAULT_MIX.replace(',', ', ')}.",
            show_default=False,
            metavar="KIND=%,...",
        ),
    ] = None
    own_orders: Annotated[
        Path | None,
        _load(
            "Your own orders, JSON Lines as for `place`; repeated from the first when there are too few.",
            "--from",
            show_default=False,
            metavar="FILE",
        ),
    ] = None
    allow_refused: Annotated[
        bool,
        _load(
            "Refusals (4xx) of your own orders are meant; without it the burst is not valid if there are any.",
            "--allow-refused",
        ),
    ] = False
    seed: Annotated[
        int | None,
        _load("The same seed gives the same orders, with the same ids and times.", show_default="1", metavar="N"),
    ] = None
    connections: Annotated[
        int | None, _load("Most requests in flight at once.", min=1, max=20_000, show_default="512", metavar="N")
    ] = None
    generators: Annotated[
        int | None,
        _load(
            "Processes that send the load together, for more than one can send: each a part of the orders, of the "
            "clients and of the connections. The orders and their times are those of one generator.",
            min=1,
            max=MAX_GENERATORS,
            show_default="1",
        ),
    ] = None
    config: Annotated[
        Path | None,
        _load(
            "A file such as burst.toml: options without their dashes, and [\\[stream]] tables, each with its own load "
            "and mix. Options that are typed count more.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None
    print_config: Annotated[
        bool,
        _load(
            "Print the configuration with every default, as a file for --config, and send nothing.", "--print-config"
        ),
    ] = False
    workers: Annotated[
        _Times,
        _fault(
            "Number of workers: 2, or 2@12s for 2 from then on. Repeatable. Or auto:1-8,backlog-per-worker=200, which "
            "scales by ECS's target tracking; more settings: period=60s, out-periods=3, in-periods=15, "
            "scale-out-cooldown=300s, scale-in-cooldown=300s.",
            "N[@TIME]",
            show_default="1",
        ),
    ] = None
    worker: Annotated[
        Literal["container", "lambda"] | None,
        _fault(
            "The worker as processes (container), or as a Lambda function on event source mappings (lambda), which "
            "takes none of the faults of workers.",
            "container|lambda",
            show_default="container",
        ),
    ] = None
    stop_worker: Annotated[_Times, _fault("Stop all workers (SIGTERM); start as many again after FOR.", "FOR@TIME")] = (
        None
    )
    freeze_worker: Annotated[
        _Times, _fault("Freeze all workers (SIGSTOP) with orders in flight, for that long.", "FOR@TIME")
    ] = None
    kill_worker: Annotated[
        _Times, _fault("Kill one worker (SIGKILL) with orders in flight, and start another.", "@TIME")
    ] = None
    kill_api: Annotated[_Times, _fault("Kill order-api (SIGKILL), and start it again.", "@TIME")] = None
    kill_backend: Annotated[
        _Times,
        _fault(
            "Kill the backend's engine (SIGKILL), which starts again with what it acknowledged (embedded).", "@TIME"
        ),
    ] = None
    disorder: Annotated[
        _Times,
        _fault(
            "Make queues and rules as unreliable as AWS allows: duplicates, reordering, missed_polls, doubled_events, "
            "each with its probability, such as seed=7,duplicates=0.05; with a time, from then on, and none@TIME ends "
            "it (embedded only).",
            "SETTINGS[@TIME]",
        ),
    ] = None
    faults: Annotated[
        _Times,
        _fault(
            "Let calls to the backend fail: throttle, error_before, error_after (its success), drop, timeout_after "
            "(its success, without an answer) or latency, each with its probability, of all actions or of one, such "
            "as throttle=0.1, error_after:PutEvents=0.2, latency/300ms=0.5 or timeout_after/2000ms=0.1 (then the "
            "connection is closed); from TIME on, and none@TIME ends it (embedded only).",
            "SETTINGS[@TIME]",
        ),
    ] = None
    full_disk: Annotated[
        _Times,
        _fault("Let the backend's writes to its disk fail, for that long (embedded, on Linux).", "FOR@TIME"),
    ] = None
    give_up_after: Annotated[
        str | None,
        _result(
            "End the drain after this long without any change; a failed alert is retried after 60 s.",
            show_default="90s",
            metavar="TIME",
        ),
    ] = None
    expect: Annotated[_Times, _result(_METRICS_HELP, metavar="METRIC<NUMBER", show_default=False)] = None
    abort_on_fail: Annotated[
        _Times,
        _result(
            "A threshold on latencies or answers that is checked all the time from 5 s on: the load stops once it is "
            "missed, and what was sent is judged.",
            metavar="METRIC<NUMBER",
            show_default=False,
        ),
    ] = None
    find_limit: Annotated[
        _Times,
        _result(
            "Find the highest rate that meets these thresholds (and builds up no backlog): bursts at --rate, or with "
            "the --stage or the streams given, then at twice that until one breaks, then between, then three at the "
            "--scale that held. Repeatable.",
            metavar="METRIC<NUMBER",
            show_default=False,
        ),
    ] = None
    running: Annotated[
        bool,
        _target(
            "The system that `up` runs here, instead of a new one. Only this burst's orders are judged.", "--running"
        ),
    ] = False
    api_url: Annotated[
        str | None,
        _target(
            "Any order-api, instead of a new system; its token is in ORDERBOARD_API_TOKEN. With --stack-name, "
            "--backend or --endpoint-url its stack is read, for a verdict on every order; without, only its answers "
            "are judged.",
            metavar="URL",
        ),
    ] = None
    stack_name: Annotated[str | None, _target("The stack of that order-api, if not `orderboard`.", metavar="NAME")] = (
        None
    )
    max_cost: Annotated[
        float | None,
        _target("Refuse a plan that may cost more on AWS; all repetitions together.", metavar="USD", min=0),
    ] = None
    price: Annotated[
        _Times,
        _target(
            "A price of the estimate, in USD a million: sns, sqs, lambda, eventbridge, dynamodb-write, dynamodb-read, "
            "such as sqs=0.5. Repeatable.",
            metavar="SERVICE=USD",
        ),
    ] = None
    junit: Annotated[
        Path | None, _result("Write the verdict and the thresholds as JUnit XML.", show_default=False, metavar="FILE")
    ] = None
    live: Annotated[
        bool,
        _result(
            "Serve a page of the running burst on 127.0.0.1, with charts, a button that stops the load, and /metrics "
            "for Prometheus.",
            "--live",
        ),
    ] = False
    live_port: Annotated[
        int | None,
        _result("--live, on this port.", metavar="PORT", min=1, max=65535, show_default="8070 if free, else any"),
    ] = None
    export: Annotated[
        str | None,
        _result(
            "More files of the run: ndjson and csv (a line for every order), hdr (HdrHistogram's log), openmetrics, "
            "markdown (for a pull request).",
            metavar="FORMAT,...",
            show_default=False,
        ),
    ] = None
    out: Annotated[
        Path | None,
        _result(
            "Folder for report.html, summary.json and timeline.csv.",
            show_default=".orderboard/bursts/TIME",
            metavar="FOLDER",
        ),
    ] = None
    tag: Annotated[
        list[str] | None,
        _result(
            "Tag the run. Runs with the same tag are a group for `compare`. Repeatable.",
            metavar="TAG",
            show_default=False,
        ),
    ] = None
    note: Annotated[
        str, _result("A note, which the list of runs and the report show.", metavar="TEXT", show_default=False)
    ] = ""
    repeat: Annotated[
        int,
        _result(
            "Run it so many times, each on a new system, as a group with a common tag.", metavar="N", min=1, max=100
        ),
    ] = 1
