"""A standard and a FIFO queue against simple models of them, with any actions in any order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from localbus.clock import ManualClock
from localbus.errors import AwsError
from localbus.journal import Journal
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import Message, Received
from localbus.sqs.queue import Queue

RETENTION_S = 200
VISIBILITY_S = 30
MAX_RECEIVES = 3


@dataclass
class Expected:
    """The model of one message."""

    body: str
    group: str
    sent_at: float
    visible_at: float
    number: int
    receives: int = 0
    handle: str | None = None
    in_flight: bool = False
    delayed: bool = False


class QueueModel(RuleBasedStateMachine):
    """The messages that a queue must have, by body, and the bodies of all handles that it issued."""

    clock: ManualClock
    queue: Queue

    def start(self, queue: Queue) -> None:
        """Begin with an empty queue."""
        self.queue = queue
        self.queue.settings.retention_s = RETENTION_S
        self.there: dict[str, Expected] = {}
        self.handed_out: dict[str, str] = {}
        self.numbers = itertools.count()

    def apply_time(self) -> None:
        """Apply the time to the model."""
        now = self.clock.now()
        for expected in self.there.values():
            if now >= expected.visible_at:
                expected.in_flight = expected.delayed = False
        self.there = {body: e for body, e in self.there.items() if now < e.sent_at + RETENTION_S}

    def expect(self, body: str, group: str, delay_s: float, number: int) -> None:
        """Add a message that was sent."""
        now = self.clock.now()
        self.there[body] = Expected(body, group, now, now + delay_s, number, delayed=delay_s > 0)

    def take(self, received: list[Received], timeout_s: int) -> str:
        """Set received messages in flight, and return the first handle."""
        for message, handle in received:
            expected = self.there[message.body]
            expected.receives += 1
            expected.in_flight, expected.handle = True, handle
            expected.visible_at = self.clock.now() + timeout_s
            assert message.receive_count == expected.receives
            self.handed_out[handle] = message.body
        return received[0].handle if received else "none"

    @rule(seconds=st.sampled_from([0.5, 1, 7, 31, 90, 301]))
    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.clock.advance(seconds)

    @invariant()
    def counts_and_contents(self) -> None:
        """Counts and contents equal the model's."""
        if not hasattr(self, "queue"):
            return
        self.apply_time()
        hidden = sum(e.in_flight for e in self.there.values())
        delayed = sum(e.delayed for e in self.there.values())
        assert self.queue.counts() == (len(self.there) - hidden - delayed, hidden, delayed)
        assert {message.body for message in self.queue.peek()} == set(self.there)


class StandardModel(QueueModel):
    """A standard queue keeps every message, hides it while in flight, and returns only visible ones."""

    handles: Bundle[str] = Bundle("handles")

    @initialize(dead_letters=st.booleans(), groups=st.sampled_from([[None], ["a", "b"], [None, "a"]]))
    def begin(self, dead_letters: bool, groups: list[str | None]) -> None:
        """Draw a queue."""
        self.clock = ManualClock(1000.0)
        self.start(Queue("q", "arn:aws:sqs:r:0:q", self.clock, Journal(10)))
        self.dead = Queue("dead", "arn:aws:sqs:r:0:dead", self.clock, Journal(10))
        self.dead.settings.retention_s = RETENTION_S
        if dead_letters:
            self.queue.settings.max_receive_count = MAX_RECEIVES
            self.queue.dead_letter_queue = lambda: self.dead
        self.dead_letters = dead_letters
        self.groups = groups
        self.dead_ones: dict[str, float] = {}

    @rule(delay_s=st.sampled_from([0, 0, 0, 5, 40]), which=st.integers(0, 1))
    def send(self, delay_s: int, which: int) -> None:
        """Send a message."""
        number = next(self.numbers)
        group = self.groups[which % len(self.groups)]
        self.queue.send(Message(f"m{number}", f"m{number}", group_id=group), delay_s)
        self.expect(f"m{number}", group or "", delay_s, number)

    @rule(target=handles, limit=st.integers(1, 10), timeout_s=st.sampled_from([0, 1, VISIBILITY_S, 100]))
    def receive(self, limit: int, timeout_s: int) -> Any:
        """Receive, and expect visible messages only."""
        self.apply_time()
        ready = {body for body, e in self.there.items() if not e.in_flight and not e.delayed}
        spent = {b for b in ready if self.dead_letters and self.there[b].receives >= MAX_RECEIVES}

        received = self.queue.receive(limit, timeout_s)

        bodies = [message.body for message, _ in received]
        assert len(set(bodies)) == len(bodies)
        assert set(bodies) <= ready - spent
        assert len(bodies) == min(limit, len(ready - spent))
        for body in spent & {message.body for message in self.dead.peek()}:
            self.dead_ones[body] = self.there.pop(body).sent_at
        return self.take(received, timeout_s)

    @rule(handle=handles)
    def delete(self, handle: str) -> None:
        """Delete by a handle that may be old."""
        self.apply_time()
        if handle == "none":
            return
        self.queue.delete(handle)
        self.there.pop(self.handed_out[handle], None)

    @rule(handle=handles, timeout_s=st.sampled_from([0, 10, 60]))
    def change_visibility(self, handle: str, timeout_s: int) -> None:
        """Change the visibility by a handle that may be old."""
        self.apply_time()
        if handle == "none":
            return
        expected = self.there.get(self.handed_out[handle])
        try:
            self.queue.change_visibility(handle, timeout_s)
        except AwsError:
            assert expected is None
            return
        assert expected is not None
        if expected.in_flight:
            expected.visible_at = self.clock.now() + timeout_s

    @rule()
    def purge(self) -> None:
        """Delete everything."""
        self.queue.purge()
        self.there.clear()

    @invariant()
    def dead_letters_keep_their_age(self) -> None:
        """The dead-letter queue has every moved message until its retention ends."""
        if hasattr(self, "dead_ones"):
            now = self.clock.now()
            self.dead_ones = {body: at for body, at in self.dead_ones.items() if now < at + RETENTION_S}
            assert {message.body for message in self.dead.peek()} == set(self.dead_ones)


class FifoModel(QueueModel):
    """A FIFO queue keeps each group in order, blocks it while one is in flight, and accepts a message once."""

    handles: Bundle[str] = Bundle("handles")

    @initialize(delay_s=st.sampled_from([0, 0, 10]), scope=st.sampled_from(["queue", "messageGroup"]))
    def begin(self, delay_s: int, scope: str) -> None:
        """Draw a queue."""
        self.clock = ManualClock(1000.0)
        self.start(FifoQueue("q.fifo", "arn:aws:sqs:r:0:q.fifo", self.clock, Journal(10)))
        self.queue.settings.delay_s = delay_s
        self.queue.settings.deduplication_scope = scope
        self.sent: dict[Any, tuple[float, str]] = {}

    @rule(group=st.sampled_from("abc"), token=st.integers(0, 6))
    def send(self, group: str, token: int) -> None:
        """Send a message."""
        self.apply_time()
        number = next(self.numbers)
        body, now = f"m{number}", self.clock.now()
        key = (group, token) if self.queue.settings.deduplication_scope == "messageGroup" else token
        known = self.sent.get(key)

        message = Message(body, body, group_id=group, deduplication_id=str(token))
        self.queue.send(message)

        if known is not None and now < known[0] + 300:
            assert message.message_id == known[1]
            return
        assert message.message_id == body
        self.sent[key] = (now, body)
        self.expect(body, group, self.queue.settings.delay_s, number)

    @rule(target=handles, limit=st.integers(1, 10), timeout_s=st.sampled_from([1, VISIBILITY_S, 100]))
    def receive(self, limit: int, timeout_s: int) -> Any:
        """Receive, and expect visible messages only."""
        self.apply_time()
        there = list(self.there.values())
        out = {e.group: e.number for e in reversed(there) if e.in_flight}
        ready = [e for e in there if e.number < out.get(e.group, e.number + 1) and not e.delayed]

        received = self.queue.receive(limit, timeout_s)

        assert len(received) == min(limit, len(ready))
        by_group: dict[str, list[str]] = {}
        for message, _ in received:
            by_group.setdefault(message.group_id or "", []).append(message.body)
        for group, bodies in by_group.items():
            assert bodies == [e.body for e in ready if e.group == group][: len(bodies)]
        cut_short = [g for g, bodies in by_group.items() if len(bodies) < len([e for e in ready if e.group == g])]
        assert len(cut_short) <= 1
        return self.take(received, timeout_s)

    @rule(handle=handles)
    def delete(self, handle: str) -> None:
        """Delete by a handle that may be old."""
        self.apply_time()
        if handle == "none":
            return
        expected = self.there.get(self.handed_out[handle])
        is_valid = expected is None or (expected.in_flight and expected.handle == handle)
        try:
            self.queue.delete(handle)
        except AwsError:
            assert not is_valid
            return
        assert is_valid
        if expected is not None:
            del self.there[expected.body]

    @rule(handle=consumes(handles))
    def make_visible(self, handle: str) -> None:
        """Make a message in flight visible."""
        self.apply_time()
        expected = self.there.get(self.handed_out.get(handle, ""))
        if expected is not None and expected.in_flight and expected.handle == handle:
            self.queue.change_visibility(handle, 0)
            expected.visible_at = self.clock.now()


TestStandardModel = StandardModel.TestCase
TestStandardModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestFifoModel = FifoModel.TestCase
TestFifoModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
