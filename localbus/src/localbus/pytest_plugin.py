"""A pytest fixture: `localbus` is a new engine with a manual clock, at its own URL, for any AWS client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from localbus.clock import ManualClock, this_second
from localbus.engine import Engine, Options
from localbus.init_files import apply, client_environment, parse_init_file


class Localbus:
    """An engine in a thread, with a manual clock.

    It begins at the present second, as code under test that computes a deadline from today's date expects. `start`
    is another time in seconds since 1970, for results that are the same in every run.
    """

    def __init__(self, options: Options | None = None, *, start: float | None = None) -> None:
        self._options = options or Options()
        self.clock = ManualClock(this_second() if start is None else start)
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="localbus", daemon=True)

    def start(self) -> Localbus:
        """Listen on a free port of 127.0.0.1."""
        self._thread.start()
        self.engine = Engine(self._options, self.clock)
        self.url = self._run(self.engine.start)
        return self

    def advance(self, seconds: float) -> None:
        """Move the clock forward. What becomes due happens before this returns."""

        async def move() -> None:
            self.clock.advance(seconds)

        self._run(move)

    def init(self, *files: str | Path) -> None:
        """Deploy templates and run scripts, as --init does. Raises ValueError and InitError."""
        found = [parse_init_file(str(file)) for file in files]
        self._run(lambda: apply(found, self.engine.stacks, self.url), within_s=None)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which any AWS client reaches this engine."""
        return client_environment(self.url)

    def client(self, service: str, *, account: str = "000000000000", region: str = "us-east-1", **given: Any) -> Any:
        """Return a boto3 client of this engine. The account is the access key."""
        import boto3  # noqa: PLC0415 (other clients do not need it)

        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="any",  # noqa: S106 (nothing is secret here)
            **given,
        )

    def stop(self) -> None:
        """Stop listening and end the thread."""
        self._run(self.engine.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._runner.close()

    def _run(self, work: Callable[[], Any], within_s: float | None = 30) -> Any:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(within_s)


@pytest.fixture
def localbus() -> Iterator[Localbus]:
    """A new engine with a manual clock; `.url` is its endpoint, `.client("sqs")` a boto3 client for it."""
    bus = Localbus().start()
    yield bus
    bus.stop()
