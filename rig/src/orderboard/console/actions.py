"""The page's actions: request body, handler, and whether the action is available."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar, get_args

from orderboard.console import requests
from orderboard.console.controls import ActionResult, Control, Controls, preparation_ms
from orderboard.console.fault_controls import FaultControls
from orderboard.console.kills import Kills
from orderboard.console.queue_settings import QueueSettings
from orderboard.console.reconcile import Reconciler
from orderboard.console.requests import Body, ConsoleKind
from orderboard.console.snapshot import Snapshot
from orderboard.console.source import Source
from orderboard.console.traffic import BURST, STREAM_PER_S, UNKNOWN_API, Traffic
from orderboard.errors import RigError
from orderboard.orders.client import Accepted, refusal
from orderboard.orders.kinds import KINDS
from orderboard.system.state import State
from orderboard.system.workers import Workers

_KINDS: Final[tuple[ConsoleKind, ...]] = get_args(ConsoleKind)
_NO_FAULTS: Final = "order-api was started without --allow-faults, so it rejects orders with a fault."
BodyType = TypeVar("BodyType", bound=Body)


@dataclass(frozen=True)
class Action:
    """An action of the page. run takes an instance of body."""

    body: type[Body]
    run: Callable[[Any], Awaitable[ActionResult]]


def _in_thread(body: type[BodyType], act: Callable[[BodyType], ActionResult]) -> Action:
    async def run(parsed: BodyType) -> ActionResult:
        return await asyncio.to_thread(act, parsed)

    return Action(body, run)


@dataclass
class Actions:
    """Every control of the page."""

    source: Source
    reconciler: Reconciler
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self.workers = Workers(self.source.workspace, self.source.state, self.source.target)
        self.controls = Controls(self.source, self.workers, self.reconciler)
        self.queue_settings = QueueSettings(self.source, self.workers)
        self.kills = Kills(self.source, self.workers)
        url = self.source.endpoint_url
        self.fault_controls = FaultControls(self.source.localbus, () if url is None else ("--endpoint-url", url))

    def document(self, snapshot: Snapshot) -> dict[str, Any]:
        """JSON of all controls and their current settings."""
        state = self.source.state()
        self.traffic.faults = state is not None and state.allow_faults
        self.fault_controls.refresh()
        settings, faults = self.fault_controls.document(snapshot.backend)
        controls = {**self._orders(snapshot.api_url, state), **self.controls.available(snapshot), **faults}
        queue_settings, changes = self.queue_settings.document()
        controls |= self.kills.available() | changes
        return {
            "controls": {name: asdict(control) for name, control in controls.items()},
            "preparation_ms": None if state is None else preparation_ms(state),
            "queue_settings": queue_settings,
            "localbus": settings,
            "traffic": self.traffic.document(),
        }

    def _orders(self, api_url: str | None, state: State | None) -> dict[str, Control]:
        if api_url is None:
            return dict.fromkeys((*_KINDS, "burst", "stream", "cancel-order"), Control("", UNKNOWN_API))
        traffic = self.traffic
        no_faults = _NO_FAULTS if state is not None and not state.allow_faults else None  # else order-api decides
        return {
            **{
                kind: Control(traffic.preview(kind, api_url), no_faults if KINDS[kind].fault else None)
                for kind in _KINDS
            },
            "cancel-order": Control(traffic.cancellation("ORDER_ID", api_url)),
            "burst": Control(traffic.command(BURST, api_url=api_url)),
            "stream": Control(traffic.command(None, STREAM_PER_S, api_url=api_url)),
        }

    def table(self) -> dict[str, Action]:
        """Return the actions by the last segment of their path."""
        controls, faults = self.controls, self.fault_controls
        return {
            "place": Action(requests.PlaceOrder, self._place),
            "cancel": Action(requests.CancelOrder, self._cancel),
            "burst": Action(requests.Burst, self._burst),
            "stream": Action(requests.Stream, self._stream),
            "worker": _in_thread(requests.WorkerAction, controls.worker),
            "scale": _in_thread(requests.Scale, controls.scale),
            "preparation": _in_thread(requests.Preparation, controls.preparation),
            "mapping": _in_thread(requests.Mapping, controls.mapping),
            "redrive": _in_thread(requests.QueueName, controls.redrive),
            "queue-settings": _in_thread(requests.QueueSettings, self.queue_settings.change),
            "reset-proof": _in_thread(requests.Empty, controls.reset_proof),
            "purge": _in_thread(requests.QueueName, controls.purge),
            "replay": _in_thread(requests.Empty, controls.replay),
            "delivery-faults": _in_thread(requests.DeliveryFaults, faults.set_delivery),
            "faults": _in_thread(requests.Faults, faults.set_faults),
            "kill-api": _in_thread(requests.Empty, self.kills.kill_api),
            "kill-backend": _in_thread(requests.Empty, self.kills.kill_backend),
            "clock": _in_thread(requests.Advance, faults.advance_clock),
        }

    async def _place(self, body: requests.PlaceOrder) -> ActionResult:
        answer, command = await self.traffic.place(body.kind, body.order)
        if not isinstance(answer, Accepted):
            raise RigError(refusal(answer) or "order-api rejected the order.")
        return ActionResult(answer.order_id, command)

    async def _cancel(self, body: requests.CancelOrder) -> ActionResult:
        answer, command = await self.traffic.cancel(str(body.order_id))
        if not isinstance(answer, Accepted):
            raise RigError(refusal(answer) or "order-api rejected the cancellation.")
        return ActionResult("Cancellation accepted. A worker decides whether it came in time.", command)

    async def _burst(self, body: requests.Burst) -> ActionResult:
        command = self.traffic.command(body.count)
        self.traffic.burst(body.count)
        return ActionResult(f"Sending {body.count} orders to order-api.", command)

    async def _stream(self, body: requests.Stream) -> ActionResult:
        command = self.traffic.command(None, body.per_s) if body.per_s else "Ctrl-C"
        self.traffic.stream(body.per_s)
        message = f"Sending {body.per_s:g} orders a second." if body.per_s else "The stream of orders has stopped."
        return ActionResult(message, command)
