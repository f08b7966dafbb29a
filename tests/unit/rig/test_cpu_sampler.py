"""CPU seconds by name, over processes that come and go."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orderboard.system.process_stats import CpuSampler, memory_use
from orderboard.system.state import KnownProcess, known

BUSY = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


WITH_FUNCTIONS = """
import os, subprocess, sys
names = ("cafe-worker", "cafe-notifier", "my-own", None)
def environment(name): return os.environ | ({"AWS_LAMBDA_FUNCTION_NAME": name} if name else {})
children = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=0, env=environment(name)) for name in names]
print(flush=True)
"""


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


def test_functions_are_counted_apart_by_name() -> None:
    """A backend's functions are those of the services, by the service; another one by its whole name."""
    command = [sys.executable, "-c", f"{WITH_FUNCTIONS}\nchildren[0].wait()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = {each.name for each in memory_use([known("backend", process.pid)])}
        process.communicate(b"\n" * 8)

    assert found == {
        *("backend", "worker (Lambda)", "notifier (Lambda)", "my-own (Lambda)", "function (Lambda)"),
        "this command",
    }
