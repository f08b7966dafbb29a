"""CPU seconds by name, over processes that come and go."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orderboard.system.process_stats import CpuSampler
from orderboard.system.state import KnownProcess, known

BUSY = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


@contextmanager
def busy() -> Iterator[KnownProcess]:
    """A process that used a fifth of a second, and waits."""
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield known("backend", process.pid)
        process.kill()


def test_a_process_and_its_successor_add_up() -> None:
    """An engine that is killed and started again: both used their time under one name."""
    running: list[KnownProcess] = []
    cpu = CpuSampler(lambda: running)
    cpu.start()

    for _ in range(2):
        with busy() as process:
            running[:] = [process]
            cpu.sample()

    assert cpu.used_s()["backend"] > 0.3  # the kernel counts in hundredths
    assert [each.name for each in cpu.shares()] == ["backend"]
