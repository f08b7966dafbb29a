"""Waiting for what happens elsewhere."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
# A check that costs much, such as a command or a look at a page, leaves the processor to what it waits for.
_PAUSE = 3
_LONGEST_PAUSE_S = 1.0


async def eventually(
    check: Callable[[], Result | Awaitable[Result]], *, within_s: float = 5, every_s: float = 0.05
) -> Result:
    """Repeat check until it neither raises AssertionError nor returns something false; return its result.

    A check that returns None passes by its asserts. After within_s the last AssertionError is raised. check is a plain
    or an async function; one that blocks (boto3) runs in a thread, so that servers in the test's loop keep answering.
    """
    deadline = time.monotonic() + within_s
    while True:
        began = time.monotonic()
        try:
            answer = await _ask(check)
            assert answer is None or answer, f"still {answer!r}"
        except AssertionError:
            ended = time.monotonic()
            if ended >= deadline:
                raise
            await asyncio.sleep(max(every_s, min(_PAUSE * (ended - began), _LONGEST_PAUSE_S)))
        else:
            return answer


async def _ask(check: Callable[[], Result | Awaitable[Result]]) -> Result:
    answer = check() if inspect.iscoroutinefunction(check) else await asyncio.to_thread(check)
    if inspect.isawaitable(answer):
        return await answer
    return answer


def poll_until(check: Callable[[], Any], within_s: float = 5.0) -> Any:
    """Return the check's result once it is true."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found
