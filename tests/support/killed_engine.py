"""A state machine of an engine that may be killed in each of its actions. Tests add the actions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine

from support.durable import DurableEngine, Moment

MOMENTS: list[Moment] = ["after the answer", "before the commit", "after the commit"]


class KilledEngine(RuleBasedStateMachine):
    """An engine on an empty folder. `everything` returns all that a restart must not change."""

    durable: DurableEngine

    def begin(self) -> None:
        """Start the engine."""
        self.folder = tempfile.TemporaryDirectory()
        self.durable = DurableEngine(Path(self.folder.name))

    def teardown(self) -> None:
        """End the engine."""
        if hasattr(self, "durable"):
            self.durable.__exit__()
            self.folder.cleanup()

    def everything(self) -> dict[str, Any]:
        """Return all that the engine has."""
        raise NotImplementedError

    def kill_in(self, moment: Moment, action: Callable[[], object]) -> None:
        """Kill the engine in an action. What was acknowledged must be there, and the action whole or absent."""
        before, acted, killed = self.everything(), dict[str, Any](), self.durable.engine

        def act() -> None:
            action()
            acted.update(self.everything())

        self.durable.kill_in(moment, act)

        assert self.durable.engine is not killed
        after = self.everything()
        if moment == "before the commit":
            assert after in (before, acted), "the action that was not acknowledged is half"
        else:
            assert after == acted
