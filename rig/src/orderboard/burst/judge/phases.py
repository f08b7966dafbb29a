"""The phases of a burst: before, during and after its injected faults. Pure.

A fault lasts until it is ended, and one that strikes at once for ten seconds: so long a killed worker's orders are
invisible in their queue.
"""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from orderboard.burst.faults.schedule import Fault
from orderboard.burst.model import FaultWindow

Phase = Literal["before", "during", "after"]
PHASES: Final = get_args(Phase)
_STRIKES: Final = ("kill-worker", "kill-api", "kill-backend")
_STRUCK_FOR_S: Final = 10.0


class Windows:
    """The times of the faults that came so far."""

    def __init__(self) -> None:
        self._closed: list[FaultWindow] = []
        self._open: dict[str, tuple[str, float]] = {}  # by action: its kind, and since when

    def applied(self, fault: Fault, now_s: float) -> None:
        """Note a fault, or the end of one. Another number of workers is not a fault."""
        action = fault.undoes or fault.action
        self._end(action, now_s)
        if fault.action in _STRIKES:
            self._add(fault.kind, now_s, now_s + _STRUCK_FOR_S)
        elif fault.action == "fill-disk":
            self._add(fault.kind, now_s, now_s + fault.lasts_s)
        elif fault.action != "scale" and not fault.is_end:
            self._open[action] = (fault.kind, now_s)

    def until(self, now_s: float) -> tuple[FaultWindow, ...]:
        """Return the windows, with those of faults that last."""
        lasting = [FaultWindow(fault=kind, from_s=since_s, to_s=now_s) for kind, since_s in self._open.values()]
        return tuple(sorted((*self._closed, *lasting), key=lambda each: each.from_s))

    def _end(self, action: str, now_s: float) -> None:
        if (lasted := self._open.pop(action, None)) is not None:
            self._add(lasted[0], lasted[1], now_s)

    def _add(self, kind: str, from_s: float, to_s: float) -> None:
        self._closed.append(FaultWindow(fault=kind, from_s=round(from_s, 3), to_s=round(to_s, 3)))


def phase_of(at_s: float, windows: Sequence[FaultWindow]) -> Phase:
    """Return the phase of a moment; between two faults it is after."""
    if any(each.from_s <= at_s < each.to_s for each in windows):
        return "during"
    return "before" if all(at_s < each.from_s for each in windows) else "after"
