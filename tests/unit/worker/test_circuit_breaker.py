"""The circuit breaker: callers wait out an outage together, slowly, and all continue when it ends."""

import asyncio
import logging

import pytest
from orderboard_aws_client.backoff import Backoff
from unit.worker.fakes import turns
from worker.circuit_breaker import CircuitBreaker
from worker.failures import TransientError, UnavailableError
from worker.health import Health

HOURS = Backoff(base_s=3600, max_s=3600)


def closed_breaker(backoff: Backoff | None = None) -> tuple[CircuitBreaker, Health]:
    """A breaker, by default with waits of 10 to 20 ms, and the health that it reports to."""
    health = Health()
    return CircuitBreaker(backoff or Backoff(0.02, 0.02), health), health


class Backend:
    """Fails a number of times, then succeeds."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0
        self.called = asyncio.Event()

    async def call(self) -> str:
        """Fail or succeed."""
        self.calls += 1
        self.called.set()
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("connection refused")
        return "done"


async def test_a_call_is_repeated_until_the_backend_responds() -> None:
    """The caller sees no failure; health reports the outage while it lasts."""
    breaker, health = closed_breaker()
    backend = Backend(failures=3)

    running = asyncio.create_task(breaker.run(backend.call))
    await backend.called.wait()
    await turns()
    assert list(health.problems.values()) == ["connection refused"]

    assert await running == "done"
    assert backend.calls == 4
    assert not health.problems


async def test_an_outage_met_by_many_calls_is_one_outage(caplog: pytest.LogCaptureFixture) -> None:
    """Fifty orders that fail together lengthen the wait once, not fifty times."""
    breaker, _ = closed_breaker()
    backend = Backend(failures=50)

    with caplog.at_level(logging.WARNING):
        await asyncio.gather(*(breaker.run(backend.call) for _ in range(50)))

    assert caplog.messages.count("backend.unavailable") == 1


async def test_other_failures_pass_through() -> None:
    """A failure that concerns one message does not trip the breaker."""
    breaker, health = closed_breaker()

    async def call() -> None:
        raise TransientError("row changed")

    with pytest.raises(TransientError):
        await breaker.run(call)
    assert not health.problems


async def test_a_message_that_fails_alone_is_given_back() -> None:
    """While other calls succeed, one that the backend always rejects is not retried without end."""
    breaker, _ = closed_breaker()
    rejected, accepted = Backend(failures=10**6), Backend(failures=0)

    async def others() -> None:
        while True:
            await breaker.run(accepted.call)

    busy = asyncio.create_task(others())
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(breaker.run(rejected.call), 5)
    busy.cancel()

    assert rejected.calls >= 4
    assert accepted.calls > 0


async def test_stopping_ends_all_waits() -> None:
    """A worker that stops gives its orders back instead of waiting for the end of an outage."""
    breaker, health = closed_breaker(HOURS)
    backend = Backend(failures=10**6)
    running = asyncio.create_task(breaker.run(backend.call))
    await backend.called.wait()
    await turns()
    assert health.problems
    assert not running.done()

    breaker.stop()

    with pytest.raises(UnavailableError):
        await asyncio.wait_for(running, 1)
    await asyncio.wait_for(breaker.wait_until_closed(), 1)
