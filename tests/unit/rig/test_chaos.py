"""Random faults: drawn by a seed, planned as a burst, and added up over runs."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from orderboard.burst.faults.schedule import Fault
from orderboard.chaos.draw import KINDS, draw
from orderboard.chaos.results import COUNTS, ChaosResult, append, read, total
from orderboard.chaos.run import ChaosRun, plan_run
from orderboard.errors import RigError, UsageError
from orderboard.system.host import this_host
from orderboard.system.workspace import STATE_DIR_VARIABLE

MANY = 1_000


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for runs."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))


def planned(seed: int = 1, *, faults: int = 30, **more: object) -> ChaosRun:
    """Plan a run of 100 orders."""
    return plan_run(seed=seed, orders=100, faults=faults, **more)  # type: ignore[arg-type]


def test_a_seed_gives_the_same_faults_again() -> None:
    """And another seed gives others."""
    first, again, other = (draw(seed, faults=50, duration_s=100) for seed in (7, 7, 8))

    assert first == again != other


def test_every_kind_is_drawn_and_at_least_a_tenth_kills_the_backend() -> None:
    """A full disk comes once. All are within the load, in order."""
    drawn = draw(1, faults=MANY, duration_s=2 * MANY)

    kinds = Counter(each.kind for each in drawn)
    assert kinds.total() == MANY
    assert kinds.keys() == set(KINDS)
    assert kinds["kill-backend"] >= MANY / 10
    assert kinds["full-disk"] == 1
    times_s = [each.at_s for each in drawn]
    assert times_s == sorted(times_s)
    assert 0 < times_s[0] < times_s[-1] < 2 * MANY


@pytest.mark.parametrize("seed", range(20))
def test_what_is_drawn_is_a_valid_burst(seed: int) -> None:
    """Each fault passes the checks of the command line, none overlaps another, and each ends before the load does."""
    plan = planned(seed, faults=40, minutes=0.5).burst.plan

    injected = [fault for fault in plan.faults if not fault.is_end]
    assert len(injected) == 40
    assert {fault.kind for fault in injected} >= {"kill-backend", "kill-worker", "kill-api", "fill-disk"}
    assert max(fault.at_s for fault in plan.faults) < 30
    assert plan.faults[-1] == max(plan.faults, key=lambda fault: fault.at_s)


def test_kinds_can_be_left_out() -> None:
    """The others take their place."""
    plan = planned(without=["kill-backend", "full-disk"]).burst.plan

    kinds = Counter(fault.kind for fault in plan.faults if not fault.is_end)
    assert kinds.total() == 30
    assert not {"kill-backend", "fill-disk"} & kinds.keys()
    assert planned(faults=0).burst.plan.faults == ()
    assert planned(without=KINDS, faults=0).burst.plan.faults == ()


@pytest.mark.parametrize(("without", "said"), [(["fire"], "--without fire: expected one of"), (KINDS, "no kind")])
def test_a_kind_that_does_not_exist_cannot_be_left_out(without: list[str], said: str) -> None:
    """Nor can all of them."""
    with pytest.raises(UsageError, match=said):
        planned(without=without)


def test_the_load_is_long_enough_for_the_faults() -> None:
    """By default two seconds each; a shorter one is refused when they would come too fast."""
    assert planned(faults=30).burst.settings.duration_s == 60
    with pytest.raises(UsageError, match="--faults 30 in 6 s: expected at most two a second"):
        planned(minutes=0.1)


def test_the_command_repeats_the_run() -> None:
    """With the kinds that were left out."""
    assert planned(3, minutes=2.0, without=["full-disk"]).command == (
        "orderboard chaos --seed 3 --orders 100 --faults 30 --minutes 2 --without full-disk"
    )


def result(seed: int, *, valid: bool = True, **orders: int) -> ChaosResult:
    """A result with these counts."""
    return ChaosResult(
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        seed=seed,
        command=f"orderboard chaos --seed {seed}",
        valid=valid,
        orders=dict.fromkeys(COUNTS, 0) | orders,
        faults={"kill-backend": 3, "throttle": 2},
        load_s=10.5,
        drain_s=2,
        machine=this_host(),
    )


def test_runs_add_up(tmp_path: Path) -> None:
    """Whatever their lengths, from a file with a line each."""
    path = tmp_path / "folder" / "results.jsonl"
    assert total(read(path)).runs == 0
    for each in (result(1, attempted=10, completed=9), result(2, valid=False, attempted=5, lost=1)):
        append(each, path)

    found = total(read(path))

    assert (found.runs, found.valid, found.injected, found.load_s) == (2, 1, 10, 21)
    assert (found.orders["attempted"], found.orders["lost"], found.orders["duplicated"]) == (15, 1, 0)
    assert found.faults == {"kill-backend": 6, "throttle": 4}


def test_a_line_that_is_not_a_result_is_named(tmp_path: Path) -> None:
    """Before a run begins, whose result could not be added."""
    path = tmp_path / "results.jsonl"
    append(result(1), path)
    path.write_text(path.read_text() + '{"seed": 1}\n')

    with pytest.raises(RigError, match=r"results.jsonl, line 2: not the result of a run"):
        read(path)


def test_a_kind_names_what_is_injected() -> None:
    """API faults by their names, without seed, action and length."""
    fault = Fault(1, "faults", settings="seed=7,error_after:PutEvents=0.2,latency/30ms=0.5")

    assert fault.kind == "error_after+latency"
    assert Fault(1, "disorder", settings="duplicates=0.2").kind == "disorder"
    assert Fault(1, "kill-backend").kind == "kill-backend"
    assert Fault(2, "faults", settings="none").is_end
