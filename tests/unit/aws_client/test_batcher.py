"""The promises of a Batcher, with a fake send. Random failures are in test_batcher_chaos.py."""

import asyncio
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import pytest
import uvloop
from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import BatcherFullError, EntryError, EntryRefusedError, EntryTooLargeError
from support.waiting import eventually

QUICK = Limits(max_entries=10, linger_s=0.02, backoff=Backoff(0.001, 0.002))
ONE_BY_ONE = Limits(max_entries=1, max_concurrent_calls=1, max_waiting=2, linger_s=0)
HOURS = Backoff(3600, 3600)
THROTTLED = EntryError("ThrottlingException", "slow down", retryable=True)

Callers = list["asyncio.Task[str]"]


class FakeService:
    """Records every call; the result of an entry is its name in capitals, or the next of its `results`."""

    def __init__(self, **results: list[EntryError]) -> None:
        self.calls: list[list[str]] = []
        self.results = results
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

    def closed(self) -> "FakeService":
        """The same service with a closed gate."""
        self.gate.clear()
        return self


async def turns(count: int = 5) -> None:
    """Let the event loop run everything that is ready."""
    for _ in range(count):
        await asyncio.sleep(0)


async def submitted(batcher: Batcher[str, str], names: Iterable[str]) -> Callers:
    """Callers that have submitted these entries."""
    callers = [asyncio.create_task(batcher.submit(name)) for name in names]
    await turns()
    return callers


async def results(service: FakeService, names: Iterable[str], limits: Limits = QUICK) -> list[str | BaseException]:
    """The results or exceptions of callers that submit these entries at once, within 5 s."""
    async with Batcher(service.send, limits=limits, size_bytes=len) as batcher, asyncio.timeout(5):
        return await asyncio.gather(*(batcher.submit(name) for name in names), return_exceptions=True)


@pytest.mark.parametrize(
    ("limits", "names", "calls"),
    [
        pytest.param(QUICK, "abc", ["abc"], id="entries submitted together go together"),
        pytest.param(Limits(2, linger_s=60), "ab", ["ab"], id="a full call is sent at once"),
        pytest.param(Limits(2, linger_s=60), "a", ["a"], id="a single entry does not wait"),
        pytest.param(QUICK, "aa", ["aa"], id="two callers with equal entries are two entries"),
    ],
)
async def test_callers_share_a_call_and_get_their_own_result(limits: Limits, names: str, calls: list[str]) -> None:
    """Each caller gets its entry's result."""
    service = FakeService()

    assert await results(service, names, limits) == list(names.upper())
    assert ["".join(call) for call in service.calls] == calls


async def test_an_entry_after_a_pause_goes_at_once_and_those_after_it_gather() -> None:
    """Calls that are not full start linger_s apart, whether or not the last one has ended."""
    service = FakeService().closed()
    loop = asyncio.get_running_loop()

    async with Batcher(service.send, limits=Limits(max_entries=10, linger_s=0.05)) as batcher, asyncio.timeout(5):
        began = loop.time()
        callers = await submitted(batcher, "a")
        at_once = list(service.calls)
        callers += await submitted(batcher, "b")
        callers += await submitted(batcher, "c")
        await eventually(lambda: len(service.calls) == 2)
        took_s = loop.time() - began
        service.gate.set()
        await asyncio.gather(*callers)

    assert at_once == [["a"]]
    assert service.calls == [["a"], ["b", "c"]]
    assert took_s >= 0.045


async def test_after_a_call_that_took_long_entries_go_at_once() -> None:
    """The linger counts from the start of the last call, so they do not linger again."""
    service = FakeService().closed()

    async with Batcher(service.send, limits=Limits(2, linger_s=0.02, max_concurrent_calls=1)) as batcher:
        callers = await submitted(batcher, "ab")
        callers += await submitted(batcher, "c")
        lingered = asyncio.Event()
        asyncio.get_running_loop().call_later(0.03, lingered.set)
        await lingered.wait()
        service.gate.set()
        await turns()

        assert service.calls == [["a", "b"], ["c"]]
        await asyncio.gather(*callers)


@pytest.mark.parametrize("linger_s", [0, 60])
async def test_callers_of_one_moment_share_the_first_call(linger_s: float) -> None:
    """The first of them does not go ahead of the others."""
    service = FakeService()

    assert await results(service, "abc", Limits(10, linger_s=linger_s)) == ["A", "B", "C"]
    assert service.calls == [["a", "b", "c"]]


async def test_many_entries_of_one_caller_are_one_call() -> None:
    """Each has its result or its exception, in order; none is an empty list."""
    service = FakeService(b=[EntryError("MalformedDetail", "not JSON", retryable=False)])

    async with Batcher(service.send, limits=Limits(10, max_bytes=100, linger_s=60), size_bytes=len) as batcher:
        a, b, large = await batcher.submit_many(["a", "b", "x" * 101])

        assert await batcher.submit_many([]) == []
    assert (a, str(b), type(large)) == ("A", "MalformedDetail: not JSON", EntryTooLargeError)
    assert service.calls == [["a", "b"]]


async def test_a_cancelled_caller_of_many_withdraws_those_that_wait() -> None:
    """Entries of a call under way are not affected."""
    service = FakeService().closed()

    async with Batcher(service.send, limits=Limits(2, max_concurrent_calls=1, linger_s=0)) as batcher:
        caller = asyncio.create_task(batcher.submit_many(["a", "b", "c", "d", "e"]))
        await turns()
        waiting_before = batcher.waiting
        caller.cancel()
        await turns()
        waiting_afterwards = batcher.waiting
        service.gate.set()

    assert (waiting_before, waiting_afterwards) == (3, 0)
    assert service.calls == [["a", "b"]]


async def test_no_call_is_over_its_limits() -> None:
    """A call holds at most max_entries entries and max_bytes bytes; the rest goes in the next, in order."""
    service = FakeService()

    await results(service, ["aaaa", "bbbb", "cccc", "d", "e", "f", "g"], Limits(3, max_bytes=10, linger_s=0.001))

    assert service.calls == [["aaaa", "bbbb"], ["cccc", "d", "e"], ["f", "g"]]


async def test_an_entry_that_fits_no_call_is_refused_at_once() -> None:
    """An entry larger than a call is an error, and is not sent."""
    service = FakeService()

    too_large, result = await results(service, ["aaaaa", "aaaa"], Limits(3, max_bytes=4))

    assert isinstance(too_large, EntryTooLargeError)
    assert str(too_large) == "the entry has 5 bytes; the limit is 4"
    assert result == "AAAA"
    assert service.calls == [["aaaa"]]


async def test_concurrent_calls_are_limited() -> None:
    """At the limit of concurrent calls entries wait; then they go together."""
    service = FakeService().closed()

    async with Batcher(service.send, limits=Limits(1, max_concurrent_calls=2, linger_s=0)) as batcher:
        callers = await submitted(batcher, "abcdef")
        waiting_meanwhile = batcher.waiting
        service.gate.set()
        await asyncio.gather(*callers)

    assert service.most_under_way == 2
    assert waiting_meanwhile == 4


async def test_a_full_batcher_sheds_at_once() -> None:
    """One entry more than max_waiting is rejected without waiting, and there is room again afterwards."""
    service = FakeService().closed()

    async with Batcher(service.send, limits=ONE_BY_ONE) as batcher:
        callers = await submitted(batcher, "abc")
        with pytest.raises(BatcherFullError, match="2 entries are already waiting"):
            await batcher.submit("d")
        service.gate.set()
        await asyncio.gather(*callers)

        assert await batcher.submit("e") == "E"


async def test_cancelled_callers_make_room() -> None:
    """A cancelled caller's entry stops waiting at once: it fills no batcher and is never sent."""
    service = FakeService().closed()

    async with Batcher(service.send, limits=ONE_BY_ONE) as batcher:
        (first,) = await submitted(batcher, "a")
        for impatient in await submitted(batcher, "bc"):
            impatient.cancel()
        await turns()
        waiting_afterwards = batcher.waiting
        (patient,) = await submitted(batcher, "d")
        service.gate.set()

        assert (await first, await patient) == ("A", "D")
        assert waiting_afterwards == 0
        assert service.calls == [["a"], ["d"]]


async def test_a_caller_cancelled_in_the_same_moment_is_not_sent() -> None:
    """An entry whose caller was cancelled just before the call was put together stays out of it."""
    service = FakeService()

    async with Batcher(service.send, limits=Limits(max_entries=2, linger_s=0.01)) as batcher:
        batcher.start("a").cancel()

        assert await batcher.submit("b") == "B"
    assert service.calls == [["b"]]


async def test_a_call_under_way_survives_its_callers() -> None:
    """Cancelling one caller does not take the call from the others, nor leak its concurrency."""
    service = FakeService().closed()

    async with Batcher(service.send, limits=Limits(2, max_concurrent_calls=1, linger_s=0)) as batcher:
        cancelled, patient = await submitted(batcher, "ab")
        cancelled.cancel()
        service.gate.set()

        assert await patient == "B"
        assert await batcher.submit("c") == "C"


async def test_a_retryable_error_is_retried() -> None:
    """Only the rejected entry is sent again, and its caller sees no error."""
    service = FakeService(b=[THROTTLED, THROTTLED])

    assert await results(service, "abc") == ["A", "B", "C"]
    assert service.calls == [["a", "b", "c"], ["b"], ["b"]]


async def test_a_lasting_error_reaches_only_its_caller() -> None:
    """After `attempts` sends the caller gets the service's error; the others have their results."""
    service = FakeService(b=[THROTTLED] * QUICK.attempts)

    a, b, c = await results(service, "abc")

    assert (a, c) == ("A", "C")
    assert isinstance(b, EntryRefusedError)
    assert b.error == THROTTLED
    assert sum("b" in call for call in service.calls) == QUICK.attempts


async def test_a_permanent_error_is_not_retried() -> None:
    """An error that a retry cannot fix is raised at once."""
    service = FakeService(a=[EntryError("MalformedDetail", "not JSON", retryable=False)])

    (error,) = await results(service, "a")

    assert isinstance(error, EntryRefusedError)
    assert str(error) == "MalformedDetail: not JSON"
    assert service.calls == [["a"]]


async def test_entries_that_wait_for_their_next_attempt_count_as_waiting() -> None:
    """A service that throttles everything does not make the batcher's memory grow without bound."""
    service = FakeService(a=[THROTTLED])

    async with Batcher(service.send, limits=Limits(1, max_waiting=1, linger_s=0, backoff=HOURS)) as batcher:
        (caller,) = await submitted(batcher, "a")
        with pytest.raises(BatcherFullError):
            await batcher.submit("b")
        caller.cancel()
        await turns()

        assert batcher.waiting == 0


class OddError(Exception):
    """An exception that copy.copy cannot recreate."""

    def __init__(self, code: int, *, reason: str) -> None:
        super().__init__(f"{code} {reason}")


@pytest.mark.parametrize(
    ("failure", "copied"),
    [
        pytest.param(ConnectionError("the bus is away"), True, id="each caller gets a separate but equal exception"),
        pytest.param(OddError(7, reason="odd"), False, id="one that cannot be copied is raised as it is"),
    ],
)
async def test_an_exception_of_the_call_reaches_every_caller(failure: Exception, copied: bool) -> None:
    """A failed call fails all its callers; the next call works."""

    async def send(entries: Sequence[str]) -> list[str | EntryError]:
        if "a" in entries:
            raise failure
        return list(entries)

    async with Batcher(send, limits=QUICK) as batcher:
        a, b = await asyncio.gather(batcher.submit("a"), batcher.submit("b"), return_exceptions=True)

        assert type(a) is type(b) is type(failure)
        assert str(a) == str(b) == str(failure)
        assert (a is not b) == copied
        assert await batcher.submit("c") == "c"


async def test_a_wrong_number_of_results_is_nobodys_result() -> None:
    """Results that cannot be assigned are an error for every caller, instead of another's result."""

    async def send(entries: Sequence[str]) -> list[str | EntryError]:
        return list(entries[1:])

    async with Batcher(send, limits=QUICK) as batcher:
        failures = await asyncio.gather(batcher.submit("a"), batcher.submit("b"), return_exceptions=True)

    assert [str(failure) for failure in failures] == ["send returned 1 results for 2 entries"] * 2


async def test_leaving_sends_what_waits() -> None:
    """Leaving the context does not wait out the linger, sends everything, and also makes further attempts."""
    service = FakeService(b=[THROTTLED])

    async with asyncio.timeout(5):
        async with Batcher(service.send, limits=Limits(10, linger_s=60, backoff=Backoff(0.001, 1))) as batcher:
            callers = await submitted(batcher, "ab")

        assert await asyncio.gather(*callers) == ["A", "B"]
    assert service.calls == [["a", "b"], ["b"]]


async def test_leaving_at_the_limit_of_calls_sends_everything() -> None:
    """Closing in the middle of a burst loses nothing: queue and calls under way drain."""
    service = FakeService().closed()
    names = [str(number) for number in range(11)]

    async with asyncio.timeout(5):
        async with Batcher(service.send, limits=Limits(2, max_concurrent_calls=2, linger_s=60)) as batcher:
            callers = await submitted(batcher, names)
            asyncio.get_running_loop().call_later(0.01, service.gate.set)

        assert await asyncio.gather(*callers) == names
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
    service = FakeService(refused=[THROTTLED])
    callers: Callers = []

    async def use_for_a_moment() -> None:
        limits = Limits(1, max_concurrent_calls=1, linger_s=0, backoff=HOURS)
        async with asyncio.timeout(0.05), Batcher(service.send, limits=limits) as batcher:
            callers.extend(await submitted(batcher, ["refused"]))
            service.gate.clear()
            callers.extend(await submitted(batcher, ["under way", "queued"]))

    with pytest.raises(TimeoutError):
        await use_for_a_moment()

    async with asyncio.timeout(5):
        failures = await asyncio.gather(*callers, return_exceptions=True)
    assert len(failures) == 3
    for failure in failures:
        assert isinstance(failure, EntryRefusedError)
        assert str(failure) == "Stopped: the batcher was stopped before the response arrived"
        assert failure.error.retryable
    assert service.under_way == 0


async def test_a_send_that_cancels_itself_does_not_cancel_callers() -> None:
    """A caller that was not cancelled never gets CancelledError."""

    async def send(_: Sequence[str]) -> list[str | EntryError]:
        raise asyncio.CancelledError

    async with Batcher(send, limits=QUICK) as batcher:
        with pytest.raises(EntryRefusedError, match="Stopped"):
            await batcher.submit("a")


@pytest.mark.parametrize("name", ["max_entries", "max_bytes", "max_concurrent_calls", "max_waiting", "attempts"])
def test_limits_that_would_hang_are_rejected(name: str) -> None:
    """A limit of zero, with which nothing could ever be sent, is an error that names it."""
    settings: dict[str, Any] = {"max_entries": 10, name: 0}

    with pytest.raises(ValueError, match=f"{name} is 0"):
        Limits(**settings)


async def test_an_idle_batcher_does_not_spin() -> None:
    """While entries wait for a call to end, the event loop sleeps: a handful of wake-ups, not thousands."""
    service = FakeService().closed()
    dispatches = 0

    class Counting(Batcher[str, str]):
        def _dispatch(self, reached_s: float = -inf) -> None:
            nonlocal dispatches
            dispatches += 1
            super()._dispatch(reached_s)

    async with Counting(service.send, limits=Limits(1, max_concurrent_calls=1, linger_s=0.001)) as batcher:
        callers = await submitted(batcher, "abc")
        asyncio.get_running_loop().call_later(0.1, service.gate.set)
        await asyncio.gather(*callers)

    assert dispatches < 20


def test_a_lingering_batcher_does_not_spin_on_uvloop() -> None:
    """A timer that fires just before its time, as uvloop's clock has whole milliseconds, starts the call."""
    looks = 0

    class Counting(Batcher[str, str]):
        def _look(self, *due: float) -> None:
            nonlocal looks
            looks += 1
            super()._look(*due)

    async def calls() -> int:
        service = FakeService()
        async with asyncio.timeout(5), Counting(service.send, limits=Limits(10, linger_s=0.002)) as batcher:
            for _ in range(100):
                await batcher.submit("a")
        return len(service.calls)

    assert uvloop.run(calls()) == 100
    assert looks <= 110
