"""What `orderboard status` shows of a system, good and bad."""

import re
from io import StringIO

from orderboard.system.process_stats import MemoryUse
from orderboard.system.status import ProcessStatus, Status, show
from rich.console import Console

RUNS = MemoryUse("worker-1", 1, 60_000_000, 50_000_000)


def shown(status: Status) -> str:
    """What stands on an 80 column screen."""
    screen = StringIO()
    show(status, Console(file=screen, width=80))
    return screen.getvalue()


def system(*api: MemoryUse) -> Status:
    """A system of order-api and one worker that runs."""
    processes = (ProcessStatus("order-api", 41, api), ProcessStatus("worker-1", 42, (RUNS,)))
    return Status("embedded", "http://127.0.0.1:1", "http://127.0.0.1:2", bool(api), processes, {}, 0, ())


def test_a_process_that_ended_is_named_with_the_mend() -> None:
    """Who was killed is named, with how to begin anew, and the system is not healthy."""
    status = system()

    assert not status.healthy
    assert "order-api ended: its log says why. Begin anew: orderboard down, orderboard up" in shown(status)


def test_a_system_that_runs_needs_no_mend() -> None:
    """Where everything runs nothing is said of ends."""
    status = system(RUNS)

    assert status.healthy
    assert "ended" not in shown(status)


def test_what_runs_under_a_process_is_shown_with_its_memory() -> None:
    """The backend is more than its first process: each part has its own line and number."""
    engine = MemoryUse("backend (MiniStack)", 1, 90_000_000, 76_000_000)

    screen = shown(system(RUNS, engine))

    assert re.search(r"backend \(MiniStack\) +runs +76", screen), screen
