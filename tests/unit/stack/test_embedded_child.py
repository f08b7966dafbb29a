"""Restarts of an engine that ended: at once, later, or not."""

import signal

import pytest
from orderboard_stack.embedded_child import Engine, NotKeptError

KILLED = -signal.SIGKILL


@pytest.fixture
def engine() -> Engine:
    """An engine that was started once; nothing listens on its port."""
    engine = Engine("localbus", [], port=0)
    engine.starts = 1
    return engine


def pauses(engine: Engine, deaths: int) -> list[float]:
    """End it so often, each time just after its start, and return the pauses before the next starts."""
    found = []
    for _ in range(deaths):
        engine.on_end(KILLED, now=100.0)
        assert engine.start_at is not None
        found.append(engine.start_at - 100.0)
        engine.starts += 1
    return found


def test_it_is_started_again_at_once(engine: Engine) -> None:
    """One death costs no pause."""
    assert pauses(engine, 1) == [0]
    assert engine.last_ending == "SIGKILL"


def test_deaths_in_a_row_back_off_and_give_up(engine: Engine) -> None:
    """Each pause is twice the one before; after the sixth failure in a row the error says how often and why."""
    assert pauses(engine, 6) == [0, 0.25, 0.5, 1, 2, 4]

    with pytest.raises(NotKeptError, match=r"localbus ended 7 times in a row, the last time with exit code 1"):
        engine.on_end(1, now=100.0)


def test_an_engine_that_answered_for_a_while_starts_a_new_count(engine: Engine) -> None:
    """Deaths hours apart are not a loop."""
    pauses(engine, 6)
    engine._answered_at = 100.0

    engine.on_end(KILLED, now=102.0)

    assert engine.start_at == 102.0


def test_a_process_that_cannot_be_started_is_tried_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without memory for a process there is a later try, and in the end an error."""

    def fail(*_: object, **__: object) -> int:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("os.posix_spawn", fail)
    engine.start(0)

    assert (engine.pid, engine.start_at is not None) == (None, True)
    for _ in range(5):
        engine.start(0)
    with pytest.raises(NotKeptError, match="Cannot allocate memory"):
        engine.start(0)


def test_a_first_start_that_fails_is_not_tried_again(engine: Engine) -> None:
    """It printed its reason: a wrong option, a port that is taken, a folder that it cannot use."""
    with pytest.raises(NotKeptError, match=r"localbus did not start \(exit code 1\)"):
        engine.on_end(1, now=100.0)
