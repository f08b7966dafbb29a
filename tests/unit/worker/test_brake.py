"""One brake for all: an outage is waited out in hand, slowly, and ends for everybody at once."""

import asyncio
import logging

import pytest
from worker.backoff import Backoff
from worker.brake import Brake
from worker.failures import TransientError, UnavailableError
from worker.health import Health


def brake(base_s: float = 0.02, max_s: float = 0.05) -> tuple[Brake, Health]:
    """A brake whose pauses are short and certain, and the health that it tells."""
    health = Health()
    return Brake(Backoff(base_s, max_s), health, chance=lambda: 0.5), health


class Backend:
    """Fails so many times, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    async def work(self) -> str:
        """One call."""
        self.calls += 1
        await asyncio.sleep(0.002)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("connection refused")
        return "done"


async def test_work_is_repeated_until_the_backend_answers() -> None:
    """The caller sees no failure; health does while it lasts."""
    the_brake, health = brake()
    backend = Backend(failures=3)

    working = asyncio.create_task(the_brake.through(backend.work))
    await asyncio.sleep(0.01)
    assert list(health.problems.values()) == ["connection refused"]

    assert await working == "done"
    assert backend.calls == 4
    assert not health.problems


async def test_an_outage_told_by_many_is_one_outage(caplog: pytest.LogCaptureFixture) -> None:
    """Fifty orders that fail together lengthen the pause once, not fifty times."""
    the_brake, _ = brake()
    backend = Backend(failures=50)

    with caplog.at_level(logging.WARNING):
        await asyncio.gather(*(the_brake.through(backend.work) for _ in range(50)))

    assert caplog.messages.count("backend.unavailable") == 1


async def test_other_failures_are_not_the_brakes_business() -> None:
    """What concerns one message goes to its verdict at once."""
    the_brake, health = brake()

    async def work() -> None:
        raise TransientError("row moved")

    with pytest.raises(TransientError):
        await the_brake.through(work)
    assert not health.problems


async def test_a_message_that_fails_alone_is_given_back() -> None:
    """While others get through, one that the backend always refuses does not stay in hand for ever."""
    the_brake, _ = brake()
    refused, fine = Backend(failures=10**6), Backend(failures=0)

    async def others() -> None:
        while True:
            await the_brake.through(fine.work)
            await asyncio.sleep(0.001)

    busy = asyncio.create_task(others())
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(the_brake.through(refused.work), 5)
    busy.cancel()

    assert refused.calls >= 4
    assert fine.calls > 0


async def test_closing_lets_nobody_wait() -> None:
    """A worker that stops gives its orders back instead of waiting for the end of an outage."""
    the_brake, _ = brake(base_s=30, max_s=60)
    backend = Backend(failures=10**6)
    working = asyncio.create_task(the_brake.through(backend.work))
    await asyncio.sleep(0.02)

    the_brake.close()

    with pytest.raises(UnavailableError):
        await asyncio.wait_for(working, 1)
    await asyncio.wait_for(the_brake.released(), 1)
