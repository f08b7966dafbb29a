"""The promises of a Batcher, with a fake send. Random failures are in test_batcher_chaos.py."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import BatcherFullError, EntryError, EntryRefusedError, EntryTooLargeError

QUICK = Limits(max_entries=10, linger_s=0.02, backoff=Backoff(0.001, 0.002))
THROTTLED = EntryError("ThrottlingException", "slow down", retryable=True)


class FakeService:
    """Records every call; the result of an entry is its name in capitals, or the next of its `results`."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.results: dict[str, list[EntryError]] = {}
        self.under_way = 0
        self.most_under_way = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, entries: Sequence[str]) -> list[str | EntryError]:
        """Respond when the gate is open."""
        self.calls.append(list(entries))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        return [self.results[entry].pop(0) if self.results.get(entry) else entry.upper() for entry in entries]


async def turns(count: int = 5) -> None:
    """Let the event loop run everything that is ready."""
    for _ in range(count):
        await asyncio.sleep(0)


async def failure_of(caller: "asyncio.Task[str]") -> BaseException:
    """The exception that a caller got."""
    await asyncio.wait([caller], timeout=5)
    failure = caller.exception()
    assert failure is not None
    return failure


async def test_callers_share_a_call_and_get_their_own_result() -> None:
    """Entries submitted together go together, and each caller gets its own entry's result."""
    service = FakeService()

    async with Batcher(service.send, limits=QUICK) as batcher:
        results = await asyncio.gather(*(batcher.submit(name) for name in "abc"))

    assert results == ["A", "B", "C"]
    assert service.calls == [["a", "b", "c"]]


async def test_a_full_call_does_not_linger() -> None:
    """A full call is sent at once, however long the linger time."""
    service = FakeService()
    limits = Limits(max_entries=2, linger_s=60)

    async with Batcher(service.send, limits=limits) as batcher, asyncio.timeout(5):
        results = await asyncio.gather(*(batcher.submit(name) for name in "ab"))

    assert results == ["A", "B"]


async def test_a_lone_entry_goes_when_it_has_lingered() -> None:
    """A single entry waits for linger_s, not for ever."""
    service = FakeService()

    async with Batcher(service.send, limits=QUICK) as batcher, asyncio.timeout(5):
        result = await batcher.submit("a")

    assert result == "A"


async def test_time_spent_waiting_for_a_call_counts_as_lingering() -> None:
    """After a call ends, entries that have lingered already go at once."""
    service = FakeService()
    service.gate.clear()
    limits = Limits(max_entries=2, linger_s=0.02, max_concurrent_calls=1)

    async with Batcher(service.send, limits=limits) as batcher, asyncio.timeout(5), asyncio.TaskGroup() as callers:
        callers.create_task(batcher.submit("a"))
        callers.create_task(batcher.submit("b"))
        callers.create_task(batcher.submit("c"))
        await turns()
        lingered = asyncio.Event()
        asyncio.get_running_loop().call_later(limits.linger_s, lingered.set)
        await lingered.wait()
        service.gate.set()
        await turns()

        assert service.calls == [["a", "b"], ["c"]]


async def test_no_call_is_over_its_limits() -> None:
    """A call holds at most max_entries entries and max_bytes bytes; the rest goes in the next, in order."""
    service = FakeService()
    limits = Limits(max_entries=3, max_bytes=10, linger_s=0.001)
    names = ["aaaa", "bbbb", "cccc", "d", "e", "f", "g"]

    async with Batcher(service.send, limits=limits, size_bytes=len) as batcher:
        await asyncio.gather(*(batcher.submit(name) for name in names))

    assert service.calls == [["aaaa", "bbbb"], ["cccc", "d", "e"], ["f", "g"]]


async def test_an_entry_that_fits_no_call_is_refused_at_once() -> None:
    """An entry larger than a call is an error, and is not sent."""
    service = FakeService()

    async with Batcher(service.send, limits=Limits(max_entries=3, max_bytes=4), size_bytes=len) as batcher:
        with pytest.raises(EntryTooLargeError, match="the entry has 5 bytes; the limit is 4"):
            await batcher.submit("aaaaa")
        await batcher.submit("aaaa")

    assert service.calls == [["aaaa"]]


async def test_concurrent_calls_are_limited() -> None:
    """At the limit of concurrent calls entries wait; then they go together."""
    service = FakeService()
    service.gate.clear()
    limits = Limits(max_entries=1, max_concurrent_calls=2, linger_s=0)

    async with Batcher(service.send, limits=limits) as batcher:
        callers = [asyncio.create_task(batcher.submit(name)) for name in "abcdef"]
        await turns()
        waiting_meanwhile = batcher.waiting
        service.gate.set()
        await asyncio.gather(*callers)

    assert service.most_under_way == 2
    assert waiting_meanwhile == 4


async def test_a_full_batcher_sheds_at_once() -> None:
    """One entry more than max_waiting is rejected without waiting, and there is room again afterwards."""
    service = FakeService()
    service.gate.clear()
    limits = Limits(max_entries=1, max_concurrent_calls=1, max_waiting=2, linger_s=0)

    async with Batcher(service.send, limits=limits) as batcher:
        callers = [asyncio.create_task(batcher.submit(name)) for name in "abc"]
        await turns()
        with pytest.raises(BatcherFullError, match="2 entries are already waiting"):
            await batcher.submit("d")
        service.gate.set()
        await asyncio.gather(*callers)

        assert await batcher.submit("e") == "E"


async def test_cancelled_callers_make_room() -> None:
    """A cancelled caller's entry stops waiting at once: it fills no batcher and is never sent."""
    service = FakeService()
    service.gate.clear()
    limits = Limits(max_entries=1, max_concurrent_calls=1, max_waiting=2, linger_s=0)

    async with Batcher(service.send, limits=limits) as batcher:
        first = asyncio.create_task(batcher.submit("a"))
        await turns()
        impatient = [asyncio.create_task(batcher.submit(name)) for name in "bc"]
        await turns()
        for caller in impatient:
            caller.cancel()
        await turns()
        waiting_afterwards = batcher.waiting
        patient = asyncio.create_task(batcher.submit("d"))
        await turns()
        service.gate.set()

        assert (await first, await patient) == ("A", "D")
        assert waiting_afterwards == 0
        assert service.calls == [["a"], ["d"]]


async def test_a_caller_cancelled_in_the_same_moment_is_not_sent() -> None:
    """An entry whose caller was cancelled just before the call was put together stays out of it."""
    service = FakeService()

    async with Batcher(service.send, limits=Limits(max_entries=2, linger_s=0.01)) as batcher:
        cancelled = asyncio.create_task(batcher.submit("a"))
        await turns()
        cancelled.cancel()
        result = await batcher.submit("b")

    assert result == "B"
    assert service.calls == [["b"]]


async def test_a_call_under_way_survives_its_callers() -> None:
    """Cancelling one caller does not take the call from the others, nor leak its concurrency."""
    service = FakeService()
    service.gate.clear()
    limits = Limits(max_entries=2, max_concurrent_calls=1, linger_s=0)

    async with Batcher(service.send, limits=limits) as batcher:
        cancelled, patient = (asyncio.create_task(batcher.submit(name)) for name in "ab")
        await turns()
        cancelled.cancel()
        service.gate.set()

        assert await patient == "B"
        assert await batcher.submit("c") == "C"


async def test_a_retryable_error_is_retried() -> None:
    """Only the rejected entry is sent again, and its caller sees no error."""
    service = FakeService()
    service.results["b"] = [THROTTLED, THROTTLED]

    async with Batcher(service.send, limits=QUICK) as batcher:
        results = await asyncio.gather(*(batcher.submit(name) for name in "abc"))

    assert results == ["A", "B", "C"]
    assert service.calls == [["a", "b", "c"], ["b"], ["b"]]


async def test_a_lasting_error_reaches_only_its_caller() -> None:
    """After `attempts` sends the caller gets the service's error; the others have their results."""
    service = FakeService()
    service.results["b"] = [THROTTLED] * QUICK.attempts

    async with Batcher(service.send, limits=QUICK) as batcher:
        a, b, c = await asyncio.gather(*(batcher.submit(name) for name in "abc"), return_exceptions=True)

    assert (a, c) == ("A", "C")
    assert isinstance(b, EntryRefusedError)
    assert b.error == THROTTLED
    assert sum("b" in call for call in service.calls) == QUICK.attempts


async def test_a_permanent_error_is_not_retried() -> None:
    """An error that a retry cannot fix is raised at once."""
    service = FakeService()
    service.results["a"] = [EntryError("MalformedDetail", "not JSON", retryable=False)]

    async with Batcher(service.send, limits=QUICK) as batcher:
        with pytest.raises(EntryRefusedError, match="MalformedDetail: not JSON"):
            await batcher.submit("a")

    assert service.calls == [["a"]]


async def test_entries_that_wait_for_their_next_attempt_count_as_waiting() -> None:
    """A service that throttles everything does not make the batcher's memory grow without bound."""
    service = FakeService()
    service.results["a"] = [THROTTLED]
    limits = Limits(max_entries=1, max_waiting=1, linger_s=0, backoff=Backoff(60, 60))

    async with Batcher(service.send, limits=limits) as batcher:
        caller = asyncio.create_task(batcher.submit("a"))
        await turns()
        with pytest.raises(BatcherFullError):
            await batcher.submit("b")
        caller.cancel()
        await turns()

        assert batcher.waiting == 0


async def test_an_exception_of_the_call_reaches_every_caller() -> None:
    """A failed call fails all its callers, each with a separate but equal exception; the next call works."""

    async def send(entries: Sequence[str]) -> list[str | EntryError]:
        if "a" in entries:
            raise ConnectionError("the bus is away")
        return list(entries)

    async with Batcher(send, limits=QUICK) as batcher:
        a, b = await asyncio.gather(batcher.submit("a"), batcher.submit("b"), return_exceptions=True)

        assert isinstance(a, ConnectionError)
        assert isinstance(b, ConnectionError)
        assert str(a) == str(b) == "the bus is away"
        assert a is not b
        assert await batcher.submit("c") == "c"


async def test_an_exception_that_cannot_be_copied_is_raised_as_it_is() -> None:
    """An exception that its constructor cannot recreate still reaches every caller unchanged."""

    class OddError(Exception):
        def __init__(self, code: int, *, reason: str) -> None:
            super().__init__(f"{code} {reason}")

    async def send(_: Sequence[str]) -> list[str | EntryError]:
        raise OddError(7, reason="odd")

    async with Batcher(send, limits=QUICK) as batcher:
        a, b = await asyncio.gather(batcher.submit("a"), batcher.submit("b"), return_exceptions=True)

    assert str(a) == str(b) == "7 odd"
    assert isinstance(a, OddError)


async def test_a_wrong_number_of_results_is_nobodys_result() -> None:
    """Results that cannot be assigned are an error for every caller, instead of another's result."""

    async def send(entries: Sequence[str]) -> list[str | EntryError]:
        return list(entries[1:])

    async with Batcher(send, limits=QUICK) as batcher:
        outcomes = await asyncio.gather(batcher.submit("a"), batcher.submit("b"), return_exceptions=True)

    assert [str(outcome) for outcome in outcomes] == ["send returned 1 results for 2 entries"] * 2


async def test_leaving_sends_what_waits() -> None:
    """Leaving the context does not wait out the linger, sends everything, and also makes further attempts."""
    service = FakeService()
    service.results["b"] = [THROTTLED]
    limits = Limits(max_entries=10, linger_s=60, backoff=Backoff(0.001, 1))

    async with asyncio.timeout(5):
        async with Batcher(service.send, limits=limits) as batcher:
            callers = [asyncio.create_task(batcher.submit(name)) for name in "ab"]
            await turns()

        assert await asyncio.gather(*callers) == ["A", "B"]
    assert service.calls == [["a", "b"], ["b"]]


async def test_leaving_at_the_limit_of_calls_sends_everything() -> None:
    """Closing in the middle of a burst loses nothing: queue and calls under way drain."""
    service = FakeService()
    service.gate.clear()

    async with asyncio.timeout(5):
        async with Batcher(service.send, limits=Limits(max_entries=2, max_concurrent_calls=2, linger_s=60)) as batcher:
            callers = [asyncio.create_task(batcher.submit(str(number))) for number in range(11)]
            await turns()
            asyncio.get_running_loop().call_later(0.01, service.gate.set)

        results = await asyncio.gather(*callers)
    assert results == [str(number) for number in range(11)]
    assert batcher.waiting == 0


async def test_a_closed_batcher_takes_nothing() -> None:
    """Before and after its context a batcher rejects entries instead of letting them wait for ever."""
    service = FakeService()
    batcher = Batcher(service.send, limits=QUICK)

    with pytest.raises(BatcherFullError, match="inside its `async with`"):
        await batcher.submit("a")
    async with batcher:
        await batcher.submit("b")
    with pytest.raises(BatcherFullError):
        await batcher.submit("c")

    assert service.calls == [["b"]]


async def test_stopping_the_drain_fails_every_caller() -> None:
    """After a cancelled drain, callers under way, queued and backing off all get an error at once."""
    service = FakeService()
    limits = Limits(max_entries=1, max_concurrent_calls=1, linger_s=0, backoff=Backoff(600, 600))
    service.results["refused"] = [THROTTLED]
    callers: list[asyncio.Task[str]] = []

    async def use_for_a_moment() -> None:
        async with asyncio.timeout(0.05), Batcher(service.send, limits=limits) as batcher:
            callers.append(asyncio.create_task(batcher.submit("refused")))
            await turns()
            service.gate.clear()
            callers.extend(asyncio.create_task(batcher.submit(name)) for name in ("under way", "queued"))
            await turns()

    with pytest.raises(TimeoutError):
        await use_for_a_moment()

    failures = [await failure_of(caller) for caller in callers]
    assert [str(failure) for failure in failures] == [
        "Stopped: the batcher was stopped before the response arrived"
    ] * 3
    assert all(isinstance(failure, EntryRefusedError) and failure.error.retryable for failure in failures)
    assert service.under_way == 0


async def test_a_send_that_cancels_itself_does_not_cancel_callers() -> None:
    """A caller that was not cancelled never gets CancelledError."""

    async def send(_: Sequence[str]) -> list[str | EntryError]:
        raise asyncio.CancelledError

    async with Batcher(send, limits=QUICK) as batcher:
        with pytest.raises(EntryRefusedError, match="Stopped"):
            await batcher.submit("a")


async def test_equal_entries_are_sent_as_often_as_submitted() -> None:
    """Two callers with equal entries are two entries: the batcher never merges them."""
    service = FakeService()

    async with Batcher(service.send, limits=QUICK) as batcher:
        results = await asyncio.gather(*(batcher.submit(name) for name in "aa"))

    assert results == ["A", "A"]
    assert service.calls == [["a", "a"]]


@pytest.mark.parametrize("name", ["max_entries", "max_bytes", "max_concurrent_calls", "max_waiting", "attempts"])
def test_limits_that_would_hang_are_rejected(name: str) -> None:
    """A limit of zero, with which nothing could ever be sent, is an error that names it."""
    settings: dict[str, Any] = {"max_entries": 10, name: 0}

    with pytest.raises(ValueError, match=f"{name} is 0"):
        Limits(**settings)


async def test_an_idle_batcher_does_not_spin() -> None:
    """While entries wait for a call to end, the event loop sleeps: a handful of wake-ups, not thousands."""
    service = FakeService()
    service.gate.clear()
    loop = asyncio.get_running_loop()
    dispatches = 0

    class Counting(Batcher[str, str]):
        def _dispatch(self) -> None:
            nonlocal dispatches
            dispatches += 1
            super()._dispatch()

    async with Counting(service.send, limits=Limits(max_entries=1, max_concurrent_calls=1, linger_s=0.001)) as batcher:
        callers = [asyncio.create_task(batcher.submit(name)) for name in "abc"]
        loop.call_later(0.1, service.gate.set)
        await asyncio.gather(*callers)

    assert dispatches < 20
