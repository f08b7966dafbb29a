"""Acting on the faults that orders may carry for experiments; only where the settings allow it."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final

from orderboard_contracts.fault import Crash, Flaky, Poison, Slow, parse_fault

from worker.failures import PoisonError, TransientError

_CRASHING_RECEIVE: Final = 1


def die() -> None:
    """End this process as a crash would: nothing is flushed, no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)


async def act_out(text: str, receive_count: int, crash: Callable[[], None] = die) -> None:
    """Do what the fault asks; raises PoisonError or TransientError where it asks for failure.

    A crash happens on the first receive only, so that the order heals when another worker gets it.
    """
    match parse_fault(text):
        case Poison():
            raise PoisonError("the order carries the fault poison")
        case Flaky(failures) if receive_count <= failures:
            raise TransientError(f"the order carries the fault {text}, and this is receive {receive_count}")
        case Slow(delay_ms):
            await asyncio.sleep(delay_ms / 1000)
        case Crash() if receive_count == _CRASHING_RECEIVE:
            crash()
        case Flaky() | Crash():
            pass
