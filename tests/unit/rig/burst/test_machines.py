"""Machines that join a burst: the token, the places, their clocks, and reports that come twice or late."""

import asyncio
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orderboard.burst.load.generator import Job, Reply, Update
from orderboard.burst.load.handle import start_together
from orderboard.burst.load.mix import Mix, OwnOrders
from orderboard.burst.load.stream import Client, Closed, Open, Stream
from orderboard.burst.machines import join as join_module
from orderboard.burst.machines.clock import Clock
from orderboard.burst.machines.crew import Crew, crew_at
from orderboard.burst.machines.join import Joined, join, machine_name
from orderboard.burst.machines.join import Member as MemberHere
from orderboard.burst.machines.machine import Run
from orderboard.burst.machines.messages import Ended, Jobs, Refused, Report, from_machine, to_machine
from orderboard.burst.measured_system import Where
from orderboard.burst.options import BurstOptions
from orderboard.burst.scenario.check import check
from orderboard.cli.app import app
from orderboard.errors import RigError, UsageError
from orderboard_stack.process import free_port
from support.waiting import eventually, poll_until
from typer.testing import CliRunner
from unit.rig.burst.test_generator import FakeApi, fake_api

TOKEN = "a-token-of-tests"
REPLY = Reply(0, 3, 0.1, 0.2, 0.3, False, "refused", (), 0, None, ("422 café",), '{"a": 1}')
SECOND = Job("", [Stream(Mix(), Open([0.0] * 6), 1, "run")], 2).split(2)[1]  # the orders 1, 3 and 5


@dataclass
class Member:
    """A machine in a thread of this process, and how its membership ended."""

    ended: list[Joined | Exception] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def join(self, url: str, *, token: str = TOKEN, name: str = "ada", generators: int = 1) -> None:
        """Join, and note the end."""
        try:
            self.ended.append(join(url, token, name, generators, self.said.append))
        except RigError as exc:
            self.ended.append(exc)


@contextmanager
def waiting_burst(generators: int) -> Iterator[tuple[Crew, str, list[str]]]:
    """A burst that waits for generators, its URL, and its lines."""
    said: list[str] = []
    crew = Crew(generators, TOKEN, said.append)
    with crew_at("127.0.0.1", 0, crew) as port:
        yield crew, f"http://127.0.0.1:{port}", said


def in_thread(url: str, **how: Any) -> tuple[Member, threading.Thread]:
    """Join in a thread."""
    member = Member()
    thread = threading.Thread(target=member.join, args=(url,), kwargs=how)
    thread.start()
    return member, thread


def test_a_burst_begins_when_every_place_is_taken() -> None:
    """By one machine or several; each is let go at the end. One more finds no place."""
    with waiting_burst(3) as (crew, url, said):
        ada, ada_thread = in_thread(url, generators=2)
        poll_until(lambda: bool(ada.said))
        late, late_thread = in_thread(url, name="eve", generators=2)
        late_thread.join()
        bob, bob_thread = in_thread(url, name="bob")
        crew.wait(within_s=20)
        again, again_thread = in_thread(url)
        again_thread.join()
    ada_thread.join()
    bob_thread.join()

    assert ada.ended == bob.ended == [Joined()]
    assert ada.said[0].startswith(f"Joined {url} as generators 1 and 2 of 3")
    assert "brings 2, but the burst has no place for that: 1 of its 3 generators are missing" in str(late.ended[0])
    assert "brings 1, but the burst has no place for that: it has all of them" in str(again.ended[0])
    assert said == ["ada joined as generators 1 and 2 of 3; 1 to come", "bob joined as generator 3 of 3"]


def test_who_does_not_know_the_token_or_the_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence each; so is another version, and an address where no burst is."""
    with waiting_burst(1) as (_, url, _said):
        with pytest.raises(UsageError, match="does not know this token"):
            join(url, "another-token", "ada", 1, print)
        with monkeypatch.context() as changed:
            changed.setattr(join_module, "own_version", lambda: "orderboard 9.9 (0000)")
            with pytest.raises(UsageError, match=r"ada has orderboard 9\.9 \(0000\)\. Use the same on all machines"):
                join(url, TOKEN, "ada", 1, print)
    with pytest.raises(RigError, match="No burst answers at"):
        join(f"http://127.0.0.1:{free_port()}", TOKEN, "ada", 1, print)
    with pytest.raises(UsageError, match="is not a URL"):
        join("127.0.0.1", TOKEN, "ada", 1, print)


async def test_a_machine_that_leaves_in_the_load_reports_all_that_it_sent() -> None:
    """Ctrl-C there: what was sent and answered is known, and the load is not done. Its times are those of our clock."""
    said: list[str] = []
    crew = Crew(1, TOKEN, said.append)
    plan, updates = [Stream(Mix(), Open([0.0, 0.01, 600.0]), 1, "run")], list[Update]()

    def answered() -> int:
        updates.extend(generator.updates())
        return sum(len(each.replies) for each in updates)

    async with fake_api(FakeApi()) as api:
        with crew_at("127.0.0.1", 0, crew) as port:
            member = asyncio.create_task(MemberHere(f"http://127.0.0.1:{port}", "ada", 1, said.append).run(TOKEN))
            await asyncio.to_thread(crew.wait, 20)
            (generator,) = crew.start_generators(Job(api.url, plan, 8).split(1))
            try:
                started_at = await asyncio.to_thread(start_together, [generator])
                await eventually(lambda: answered() == 2, within_s=20)
                assert generator.problem == ""
                member.cancel()
                await eventually(lambda: generator.problem, within_s=20)
                updates += generator.updates()
            finally:
                generator.stop()
            with pytest.raises(asyncio.CancelledError):
                await member

    assert (generator.problem, any(each.done for each in updates), updates[-1].sent) == ("Ctrl-C there", False, (2,))
    replies = [reply for each in updates for reply in each.replies]
    assert [(reply.number, reply.intended_s, reply.answer) for reply in replies] == [
        (0, 0.0, "acknowledged"),
        (1, 0.01, "acknowledged"),
    ]
    assert all(0 <= reply.sent_s <= time.monotonic() - started_at for reply in replies)
    assert generator.clock_error_s is not None
    assert generator.clock_error_s < 5


def test_a_burst_whose_machines_do_not_come_says_so() -> None:
    """And one whose machine has left again; nothing was sent."""
    with waiting_burst(2) as (crew, url, said):
        member, thread = in_thread(url)
        poll_until(lambda: bool(member.said))
        with pytest.raises(RigError, match=r"1 of 2 generators did not join within 0 s\. Nothing was sent"):
            crew.wait(within_s=0)
        with pytest.raises(RigError, match="Generator 2 of 2 left before the load began"):
            crew.start_generators([])
    thread.join()
    assert said == ["ada joined as generator 1 of 2; 1 to come"]


def test_a_place_is_free_again_when_its_machine_leaves() -> None:
    """Until the load begins; then another machine may come."""
    with waiting_burst(1) as (crew, url, said):
        member, thread = in_thread(url)
        poll_until(lambda: bool(member.said))
        crew._machines[0].send(Refused(why="for a test"), wait=True)
        thread.join()
        poll_until(lambda: len(said) == 2)
        other, other_thread = in_thread(url, name="bob")
        crew.wait(within_s=20)
    other_thread.join()

    assert "refuses: for a test" in str(member.ended[0])
    assert other.ended == [Joined()]
    assert said == [
        "ada joined as generator 1 of 1",
        "ada left (the connection was lost); 1 to come",
        "bob joined as generator 1 of 1",
    ]


def test_an_address_that_is_taken_is_an_error() -> None:
    """With the option that changes it."""
    crew, problem = Crew(1, TOKEN, print), r"it is taken\. Give another port in --listen"
    with (
        crew_at("127.0.0.1", 0, crew) as port,
        pytest.raises(RigError, match=problem),
        crew_at("127.0.0.1", port, crew),
    ):
        pass


@settings(max_examples=25, deadline=None)
@given(times_s=st.lists(st.floats(0, 1e6), min_size=4, max_size=20), clients=st.integers(4, 9), seed=st.integers())
def test_a_job_arrives_as_it_was(times_s: list[float], clients: int, seed: int) -> None:
    """Every intended time to the last bit, and the same orders: the user's own, too."""
    own = OwnOrders([(7, {"customer_id": "ada", "note": "☕", "items": [{"quantity": 2**70}]})], may_be_refused=True)
    job = Job(
        "http://127.0.0.1:1",
        [
            Stream(Mix((("express", 12.5),)), Open(sorted(times_s)), seed, "run", "web"),
            Stream(own, Closed([Client(0.25, 9)] * clients, think_s=0.1, orders=40), seed, "run"),
        ],
        64,
        api_token="secret",
    )
    for number, part in enumerate(job.split(3), 1):
        text = Jobs.of(1, {number: part}).model_dump_json()

        message = to_machine(text)

        assert isinstance(message, Jobs)
        assert [*message.jobs] == [number]
        found = message.jobs[number].job()
        assert (found.api_url, found.connections, found.attempts, found.api_token) == (
            part.api_url,
            part.connections,
            part.attempts,
            part.api_token,
        )
        for there, here in zip(found.streams, part.streams, strict=True):
            assert list(there.orders()) == list(here.orders())
            assert [order.body for _, order in there.orders()] == [order.body for _, order in here.orders()]
            assert (there.part, there.name, there.seed) == (here.part, here.name, here.seed)
            if isinstance(here.load, Open):
                assert isinstance(there.load, Open)
                assert list(there.load.times_s) == list(here.load.times_s)
            else:
                assert there.load == here.load


@given(offset_s=st.floats(-1e6, 1e6), out_s=st.floats(0, 2), back_s=st.floats(0, 2), sent_at=st.floats(0, 1e6))
def test_the_error_of_a_clock_is_half_the_way_at_most(
    offset_s: float, out_s: float, back_s: float, sent_at: float
) -> None:
    """Whichever direction is the slower one."""
    clock = Clock.between(sent_at, sent_at + out_s + offset_s, sent_at + out_s + back_s)

    assert clock.error_s == pytest.approx((out_s + back_s) / 2, abs=1e-9)
    assert abs(clock.offset_s - offset_s) <= clock.error_s + 1e-9


def test_a_clock_that_drifts_has_an_error_up_to_where_it_is() -> None:
    """The best ping counts; what it shows later adds to it."""
    clock = Clock(5.0, 0.010).or_better(Clock(5.004, 0.002))

    assert clock == Clock(5.004, 0.002)
    drifted = clock.drifted_to(Clock(5.034, 0.001))
    assert drifted.offset_s == 5.004
    assert drifted.error_s == pytest.approx(0.031)
    assert clock.drifted_to(Clock(5.004, 0.001)) == clock


def test_reports_that_come_twice_or_late_change_nothing() -> None:
    """They are numbered, and of a run. What comes before an end counts, an end after the last does not."""
    machine: Any = SimpleNamespace(name="ada", gone="", later=lambda run: None)
    run_, report = Run(machine, 4, {2: SECOND}), Report(run=4, generator=2, number=1, update=Update((1,), (), False))
    generator = run_.generators[2]

    run_.receive(report)
    run_.receive(report)
    run_.receive(Ended(run=4, generator=2, problem="SIGKILL"))
    assert [update.sent for update in generator.updates()] == [(1,)]
    assert (generator.updates(), generator.problem, generator.machine) == ([], "SIGKILL", "ada")
    run_.receive(report.model_copy(update={"number": 2, "update": Update((2,), (REPLY,), done=True)}))
    run_.receive(report)

    assert [(update.sent, update.done) for update in generator.updates()] == [((2,), True)]
    machine.gone = "the connection was lost"
    assert (generator.problem, generator.done) == ("", True)
    assert math.isinf(generator.clock_error_s)


@pytest.mark.parametrize(
    "update",
    [
        Update((1, 1), (), False),
        Update((1,), (REPLY._replace(stream=1),), False),
        Update((1,), (REPLY._replace(stream=-1),), False),
        Update((1,), (REPLY._replace(number=2),), False),
        Update((1,), (REPLY._replace(number=7),), False),
        Update((1,), (REPLY._replace(answer="acknowledged"),), False),
    ],
)
def test_orders_that_a_generator_was_not_given_are_not_counted(update: Update) -> None:
    """Of a stream or a number that it has not, or accepted without an id: the machine is gone from then on."""
    left: list[str] = []
    machine: Any = SimpleNamespace(name="ada", gone="", later=lambda run: None, left=left.append)
    run_ = Run(machine, 4, {2: SECOND})

    run_.receive(Report(run=4, generator=2, number=1, update=update))

    assert (run_.generators[2].updates(), left) == ([], ["it reported orders that it was not given"])


def test_an_answer_travels_as_it_is() -> None:
    """With its texts; a message that is no such answer is refused."""
    report = Report(run=1, generator=1, number=1, update=Update((4, 0), (REPLY,), done=False, processor_s=0.5))
    text = report.model_dump_json()

    assert from_machine(text) == report
    with pytest.raises(ValueError, match="acknowledged"):
        from_machine(text.replace('"refused"', '"maybe"'))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--generators", "0"], "--generators 0: expected a whole number from 1 to 64."),
        (["--rate", "5", "serve"], "--rate: write it after serve, as in `burst serve --rate ...`."),
        (["serve", "--listen", "8071"], "--listen 8071: expected HOST:PORT, such as 0.0.0.0:8071."),
        (["serve", "--token", "short"], "--token: expected 8 to 64 letters"),
        (["serve", "--join-within", "5"], "--join-within 5: expected a duration with a unit"),
        (["serve", "--generators", "9", "--orders", "4"], "--generators 9: there are 4 orders; each generator needs"),
        (["serve", "--find-limit", "accept_p99<1"], "--find-limit accept_p99<1: expected a unit after <"),
        (["join", "http://127.0.0.1:1"], "The burst expects a token: set ORDERBOARD_BURST_TOKEN to the one"),
        (["join", "http://127.0.0.1:1", "--generators", "0"], "--generators 0: expected a whole number from 1 to 64."),
    ],
)
def test_wrong_usage_is_an_error_with_the_fix(
    arguments: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, and nothing was started."""
    monkeypatch.delenv("ORDERBOARD_BURST_TOKEN", raising=False)

    done = CliRunner().invoke(app, ["burst", *arguments])

    assert done.exit_code == 2
    assert done.stderr.startswith(f"orderboard: {problem}")


def test_a_report_does_not_keep_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that repeats a burst is in summary.json, which others may read."""
    monkeypatch.setattr(
        "sys.argv", ["orderboard", "burst", "serve", "--token", TOKEN, "--rate", "5", f"--token={TOKEN}"]
    )

    assert check(BurstOptions(), Where()).settings.command == "orderboard burst serve --rate 5"


def test_a_machine_has_a_name_that_a_report_can_show() -> None:
    """Whatever the machine is called."""
    assert [machine_name(name) for name in ("rack-3.local", "Ada's PC", "", "ä" * 60)] == [
        "rack-3.local",
        "Ada-s-PC",
        "machine",
        "ä" * 40,
    ]
