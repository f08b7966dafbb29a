"""Every caller of a Batcher gets exactly its own entry's result, under random failures."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from orderboard_aws_client.backoff import Backoff
from orderboard_aws_client.batcher import Batcher, Limits
from orderboard_aws_client.errors import BatcherFullError, EntryError, EntryRefusedError

Answer = Literal["yes", "later", "never"]


@dataclass(frozen=True)
class Caller:
    """One caller: how many loop turns it waits before it submits, the answers its entry meets, when it gives up."""

    submits_after: int
    answers: tuple[Answer, ...]
    size_bytes: int
    gives_up_after: int | None


@dataclass(frozen=True)
class Outcome:
    """The result of a caller."""

    kind: Literal["result", "refused", "failed", "full", "cancelled"]
    value: object = None


callers = st.builds(
    Caller,
    submits_after=st.integers(0, 6),
    answers=st.lists(st.sampled_from(["yes", "yes", "later", "never"]), max_size=4).map(tuple),
    size_bytes=st.integers(0, 5),
    gives_up_after=st.none() | st.integers(0, 8),
)
limits = st.builds(
    Limits,
    max_entries=st.integers(1, 4),
    max_bytes=st.integers(5, 12),
    linger_s=st.sampled_from([0.0, 0.0002]),
    max_concurrent_calls=st.integers(1, 3),
    max_waiting=st.integers(1, 20),
    attempts=st.integers(1, 3),
    backoff=st.just(Backoff(0.0001, 0.0002)),
)


class FlakyService:
    """Answers entries (numbers of callers) as their scripts say; some calls fail as a whole; checks every limit."""

    def __init__(self, script: Sequence[Caller], bounds: Limits, failing_calls: frozenset[int]) -> None:
        self.script, self.bounds, self.failing_calls = script, bounds, failing_calls
        self.sends: Counter[int] = Counter()
        self.accepted: Counter[int] = Counter()
        self.calls = 0
        self.under_way = 0

    async def send(self, entries: Sequence[int]) -> list[str | EntryError]:
        """Answer every entry by its caller's script, unless this call is one that fails."""
        assert 1 <= len(entries) <= self.bounds.max_entries
        assert sum(self.script[entry].size_bytes for entry in entries) <= self.bounds.max_bytes
        self.calls += 1
        number = self.calls
        self.under_way += 1
        assert self.under_way <= self.bounds.max_concurrent_calls
        try:
            for _ in range(number % 4):
                await asyncio.sleep(0)
            if number in self.failing_calls:
                raise ConnectionError("the service is away")
            return [self._answer(entry) for entry in entries]
        finally:
            self.under_way -= 1

    def _answer(self, entry: int) -> str | EntryError:
        answers, turn = self.script[entry].answers, self.sends[entry]
        self.sends[entry] += 1
        answer = answers[turn] if turn < len(answers) else "yes"
        if answer == "yes":
            self.accepted[entry] += 1
            return f"result of {entry}"
        return EntryError(answer, f"for {entry}", retryable=answer == "later")


async def play(script: Sequence[Caller], bounds: Limits, service: FlakyService) -> list[Outcome]:
    """Run every caller to its end and return the results. No error may go unnoticed."""
    unseen: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    async with Batcher(service.send, limits=bounds, size_bytes=lambda entry: script[entry].size_bytes) as batcher:

        async def call(number: int) -> Outcome:
            try:
                return Outcome("result", await batcher.submit(number))
            except EntryRefusedError as exc:
                return Outcome("refused", exc.error)
            except ConnectionError:
                return Outcome("failed")
            except BatcherFullError:
                return Outcome("full")

        async def live(number: int) -> Outcome:
            for _ in range(script[number].submits_after):
                await asyncio.sleep(0)
            task = asyncio.create_task(call(number))
            gives_up_after = script[number].gives_up_after
            if gives_up_after is not None:
                for _ in range(gives_up_after):
                    await asyncio.sleep(0)
                task.cancel()
            try:
                return await task
            except asyncio.CancelledError:
                return Outcome("cancelled")

        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(*(live(number) for number in range(len(script))))
        # Timers that a caller should have taken along when it went would go off meanwhile.
        await asyncio.sleep(bounds.backoff.max_s * 2)
    assert batcher.waiting == 0
    assert unseen == []
    return outcomes


@settings(max_examples=300, deadline=None)
@given(
    script=st.lists(callers, max_size=14),
    bounds=limits,
    failing_calls=st.frozensets(st.integers(1, 8), max_size=3),
)
def test_every_caller_gets_exactly_its_own_result(
    script: list[Caller], bounds: Limits, failing_calls: frozenset[int]
) -> None:
    """Under random refusals, failed calls, cancellations and limits: no result is lost, swapped or given twice."""
    service = FlakyService(script, bounds, failing_calls)

    outcomes = asyncio.run(play(script, bounds, service))

    for number, (caller, outcome) in enumerate(zip(script, outcomes, strict=True)):
        assert service.accepted[number] <= 1
        assert service.sends[number] <= bounds.attempts
        match outcome.kind:
            case "result":
                assert outcome.value == f"result of {number}"
                assert service.accepted[number] == 1
            case "refused":
                assert isinstance(outcome.value, EntryError)
                assert outcome.value.message == f"for {number}"
                assert service.accepted[number] == 0
                assert not outcome.value.retryable or service.sends[number] == bounds.attempts
            case "failed":
                assert failing_calls
                assert service.accepted[number] == 0
            case "full":
                assert service.sends[number] == 0
            case "cancelled":
                assert caller.gives_up_after is not None
