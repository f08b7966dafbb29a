"""The options of a burst's workers and faults."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer


def _fault(help_text: str, metavar: str, **more: Any) -> Any:
    return typer.Option(help=help_text, rich_help_panel="Faults", metavar=metavar, **{"show_default": False, **more})


@dataclass(frozen=True, kw_only=True)
class FaultOptions:
    """Workers and faults, on a schedule."""

    workers: Annotated[
        list[str] | None,
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
    stop_worker: Annotated[
        list[str] | None, _fault("Stop all workers (SIGTERM); start as many again after FOR.", "FOR@TIME")
    ] = None
    freeze_worker: Annotated[
        list[str] | None, _fault("Freeze all workers (SIGSTOP) with orders in flight, for that long.", "FOR@TIME")
    ] = None
    kill_worker: Annotated[
        list[str] | None, _fault("Kill one worker (SIGKILL) with orders in flight, and start another.", "@TIME")
    ] = None
    kill_api: Annotated[list[str] | None, _fault("Kill order-api (SIGKILL), and start it again.", "@TIME")] = None
    kill_backend: Annotated[
        list[str] | None,
        _fault(
            "Kill the backend's engine (SIGKILL), which starts again with what it acknowledged (embedded).", "@TIME"
        ),
    ] = None
    disorder: Annotated[
        list[str] | None,
        _fault(
            "Make queues and rules as unreliable as AWS allows: duplicates, reordering, missed_polls, doubled_events, "
            "each with its probability, such as seed=7,duplicates=0.05; with a time, from then on, and none@TIME ends "
            "it (embedded only).",
            "SETTINGS[@TIME]",
        ),
    ] = None
    faults: Annotated[
        list[str] | None,
        _fault(
            "Let calls to the backend fail: throttle, error_before, error_after (its success), drop, timeout_after "
            "(its success, without an answer) or latency, each with its probability, of all actions or of one, such "
            "as throttle=0.1, error_after:PutEvents=0.2, latency/300ms=0.5 or timeout_after/2000ms=0.1 (then the "
            "connection is closed); from TIME on, and none@TIME ends it (embedded only).",
            "SETTINGS[@TIME]",
        ),
    ] = None
    full_disk: Annotated[
        list[str] | None,
        _fault("Let the backend's writes to its disk fail, for that long (embedded, on Linux).", "FOR@TIME"),
    ] = None
