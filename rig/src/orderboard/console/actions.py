"""What the page can do, by name, and what of it can be done now."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from orderboard.console.asked import Body, choice, number, text
from orderboard.console.board import BoardLook
from orderboard.console.disturbances import Disturbances
from orderboard.console.knobs import Knob, Knobs, Turned
from orderboard.console.orders import KINDS
from orderboard.console.source import Source
from orderboard.console.traffic import BURST, MAX_BURST, MAX_PER_S, STREAM_PER_S, UNKNOWN, Traffic
from orderboard.console.workers import Workers
from orderboard.errors import RigError, UsageError
from orderboard.orders.client import Accepted, refusal

_MAX_PREPARATION_MS: Final = 60_000
_WORKER_ACTIONS: Final = ("stop", "start", "kill", "freeze", "thaw")

Action = Callable[[Body], Awaitable[Turned]]


@dataclass
class Actions:
    """The knobs of every kind, behind one table."""

    source: Source
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.workers = Workers(self.source)
        self.knobs = Knobs(self.source, self.workers)
        self.disturbances = Disturbances(self.source.localbus)

    def document(self, look: BoardLook) -> dict[str, Any]:
        """All knobs as they are now, and what those that were turned are set to."""
        state = self.source.state()
        self.traffic.faults = state is not None and state.allow_faults
        self.disturbances.look()
        condition, disturbing = self.disturbances.document(look.backend)
        knobs: dict[str, Knob] = {**self._orders(look.api_url), **self.knobs.now(look), **disturbing}
        if look.api_url is not None:
            knobs["poisoned"] = Knob(self.traffic.preview("poisoned", look.api_url), knobs["poisoned"].reason)
        return {
            "knobs": {name: {"command": knob.command, "reason": knob.reason} for name, knob in knobs.items()},
            "preparation_ms": None if state is None else self.workers.preparation_ms,
            "localbus": condition,
            "traffic": self.traffic.document(),
        }

    def _orders(self, api_url: str | None) -> dict[str, Knob]:
        """The knobs that place orders."""
        if api_url is None:
            return dict.fromkeys((*KINDS, "burst", "stream"), Knob("", UNKNOWN))
        traffic = self.traffic
        return {
            **{kind: Knob(traffic.preview(kind, api_url)) for kind in KINDS},
            "burst": Knob(traffic.command(BURST, api_url=api_url)),
            "stream": Knob(traffic.command(None, STREAM_PER_S, api_url=api_url)),
        }

    def table(self) -> dict[str, Action]:
        """What can be done, by the last part of its path."""
        knobs, disturbances = self.knobs, self.disturbances

        def threaded(act: Callable[[Body], Turned]) -> Action:
            async def run(body: Body) -> Turned:
                return await asyncio.to_thread(act, body)

            return run

        def preparation(body: Body) -> Turned:
            return knobs.preparation(int(number(body, "milliseconds", 0, _MAX_PREPARATION_MS)))

        return {
            "place": self._place,
            "burst": self._burst,
            "stream": self._stream,
            "worker": threaded(lambda body: knobs.worker(text(body, "name"), choice(body, "action", _WORKER_ACTIONS))),
            "add-worker": threaded(lambda _: knobs.add_worker()),
            "preparation": threaded(preparation),
            "mapping": threaded(lambda body: knobs.mapping(enabled=body.get("enabled") is True)),
            "redrive": threaded(lambda body: knobs.redrive(text(body, "queue"))),
            "purge": threaded(lambda body: knobs.purge(text(body, "queue"))),
            "replay": threaded(lambda _: knobs.replay()),
            "disorder": threaded(disturbances.disorder),
            "faults": threaded(disturbances.faults),
            "clock": threaded(disturbances.clock),
        }

    async def _place(self, body: Body) -> Turned:
        """One order: of a kind, or as the form has it."""
        kind = choice(body, "kind", KINDS)
        order = body.get("order")
        if order is not None and not isinstance(order, dict):
            raise UsageError("order must be an object.")
        answer, typed = await self.traffic.place(kind, order)
        if not isinstance(answer, Accepted):
            raise RigError(refusal(answer) or "order-api refused it.")
        return Turned(answer.order_id, typed)

    async def _burst(self, body: Body) -> Turned:
        """Many at once."""
        count = int(number(body, "count", 1, MAX_BURST))
        command = self.traffic.command(count)
        self.traffic.burst(count)
        return Turned(f"{count} orders are on their way to order-api.", command)

    async def _stream(self, body: Body) -> Turned:
        """So many a second, until told otherwise."""
        per_s = number(body, "per_s", 0, MAX_PER_S)
        command = self.traffic.command(None, per_s) if per_s else "Ctrl-C"
        self.traffic.stream(per_s)
        return Turned(f"{per_s:g} orders a second." if per_s else "No more orders are sent.", command)
