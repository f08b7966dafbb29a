"""Faults that orders may carry for experiments; applied only where the settings allow it."""

import asyncio
import os
import signal
from typing import Final

from orderboard_contracts.injected_fault import CrashFault, FlakyFault, PoisonFault, SlowFault, parse_fault

from worker.failures import PoisonError, TransientError

_CRASHING_RECEIVE: Final = 1


def crash() -> None:
    """Kill this process: nothing is flushed and no signal handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)


async def apply_fault(text: str, receive_count: int) -> None:
    """Apply the fault: sleep, crash, or raise PoisonError or TransientError.

    A crash happens on the first receive only, so that the order succeeds when another worker receives it.
    """
    match parse_fault(text):
        case PoisonFault():
            raise PoisonError("the order carries the fault poison")
        case FlakyFault(failures) if receive_count <= failures:
            raise TransientError(f"the order carries the fault {text}, and this is receive {receive_count}")
        case SlowFault(delay_ms):
            await asyncio.sleep(delay_ms / 1000)
        case CrashFault() if receive_count == _CRASHING_RECEIVE:
            crash()
        case FlakyFault() | CrashFault():
            pass
