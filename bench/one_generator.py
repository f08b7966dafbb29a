"""The part `generator` of `against.py` on one side: the generator and the live view of a burst, against a stub.

Runs with that side's python and rig, and prints JSON. A burst also reads queues and metrics, which `watched` measures.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import psutil
from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.load.mix import parse_mix
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.report import live_view
from orderboard.errors import RigError
from orderboard_stack.process import free_port
from rich.console import Console
from rich.live import Live

_STUB: Final = Path(__file__).with_name("stub_api.py")
_EVERY_KIND: Final = "express=10,large=2,sold_out=1,invalid=1,duplicate=2,cancel=2"
_RATE: Final = 1_000.0
_DELAY: Final = ("--delay-ms", "5")
_CONNECTIONS: Final = 512
_STEP_S, _SHOW_EVERY_S = 0.05, 0.25


def main() -> None:
    """Offer so many orders, and print what that took."""
    orders = int(sys.argv[2])
    with running_stub(*_DELAY) as url, open(os.devnull, "w") as nowhere:
        console = Console(file=nowhere, force_terminal=True, width=120, height=40)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            values = _Load(url, orders, live_view.LiveView(live)).values()
    json.dump(values, sys.stdout)


@contextmanager
def running_stub(*options: str) -> Iterator[str]:
    """Run the stub with these options; return its URL."""
    port = free_port()
    with subprocess.Popen([sys.executable, str(_STUB), str(port), *options]) as process:
        while not any(each.laddr.port == port for each in psutil.Process(process.pid).net_connections("tcp")):
            time.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@dataclass
class _Load:
    """The loop of the runner, without a system. Each accepted order has its outcome at the next step."""

    url: str
    orders: int
    view: live_view.LiveView
    recorder: Recorder = field(init=False)
    sent: Any = 0

    def values(self) -> dict[str, float]:
        """Processor seconds for 1,000 orders, of this process and of the generator's; milliseconds to the 202."""
        before_s = _used_s(resource.RUSAGE_SELF)
        times_s = [number / _RATE for number in range(self.orders)]
        self.recorder, job = _made(self.url, times_s)
        generator = Generator(job)
        start_at = _started(generator)
        process = psutil.Process(generator.pid)
        generator_before_s = sum(process.cpu_times()[:2])
        self._loop(generator, start_at)
        view_s = _used_s(resource.RUSAGE_SELF) - before_s
        generator.stop()
        generator_s = _used_s(resource.RUSAGE_CHILDREN) - generator_before_s
        if (latency := self.recorder.accept()) is None or self.recorder.answered < self.orders:
            raise RigError("Not every order was answered. Run it again.")
        used = {"generator_s": generator_s, "view_s": view_s, "both_s": generator_s + view_s}
        per_1000 = {name: seconds * 1000 / self.orders for name, seconds in used.items()}
        return {**per_1000, "p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms}

    def _loop(self, generator: Generator, start_at: float) -> None:
        recorder, timeline, loading, show_at_s = self.recorder, Timeline(self.recorder), True, 0.0
        while loading:
            for update in generator.updates():
                self.sent, loading = update.sent, not update.done
                for reply in update.replies:
                    recorder.replied(reply)
                    for order_id in reply.order_ids[:1]:
                        recorder.outcome(order_id, time.monotonic() - start_at)
            now_s = time.monotonic() - start_at
            sent = self.sent if isinstance(self.sent, int) else sum(self.sent)
            recorder.sent(sent, now_s)
            sample = Sample(time.monotonic())
            timeline.observe(now_s, sample, 1)
            if now_s >= show_at_s:
                state: dict[str, Any] = {}
                state |= {"at_s": now_s, "loading": loading, "sent": sent, "recorder": recorder, "timeline": timeline}
                state |= {"sample": sample, "workers": 1, "marks": (), "next_fault": None, "alerts": 0}
                now: Any = vars(live_view)["Now"]
                self.view.update(now(**{each.name: state[each.name] for each in fields(now) if each.name in state}))
                show_at_s = now_s + _SHOW_EVERY_S
            time.sleep(_STEP_S)


def _made(url: str, times_s: list[float]) -> tuple[Recorder, Job]:
    """Return the recorder and the generator's job, also of a revision without streams."""
    mix: Any = parse_mix(_EVERY_KIND)
    try:
        from orderboard.burst.load.stream import Open, Stream  # noqa: PLC0415 - newer than the other side may be
    except ImportError:
        recorder: Any = Recorder
        job: Any = Job
        orders = mix.orders(seed=1, run="side", count=len(times_s))
        return recorder(orders, times_s), job(url, mix, 1, "side", times_s, _CONNECTIONS)
    streams = (Stream(mix, Open(times_s), 1, "side"),)
    return Recorder(streams), Job(url, streams, _CONNECTIONS)


def _started(generator: Any) -> float:
    """Start it, also of a revision with one generator only; return second 0."""
    try:
        from orderboard.burst.load.handle import start_together  # noqa: PLC0415 - newer than the other side may be
    except ImportError:
        return float(generator.start())
    return start_together([generator])


def _used_s(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
