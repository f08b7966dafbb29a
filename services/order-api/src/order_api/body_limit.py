"""A body is read up to a limit, in a limited time, and no further: ASGI middleware."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from order_api.problem import BODY_TOO_LARGE, SLOW_BODY, ProblemError, problem_response


class BodyLimit:
    """Refuses by Content-Length before anything is read, and a chunked body at the chunk that is too much."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, deadline_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._deadline_s = deadline_s
        self._too_large = f"The largest body allowed here is {max_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a receive that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _declared_bytes(scope) > self._max_bytes:
            await problem_response(BODY_TOO_LARGE, self._too_large)(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        left_bytes = self._max_bytes
        complete = False
        deadline: float | None = None

        async def counted() -> Message:
            nonlocal left_bytes, complete, deadline
            if complete:
                return await receive()
            now = asyncio.get_running_loop().time()
            deadline = deadline or now + self._deadline_s
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as exc:
                raise ProblemError(
                    SLOW_BODY, f"It took more than {self._deadline_s:g} s.", headers={"Connection": "close"}
                ) from exc
            left_bytes -= len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if left_bytes < 0:
                raise ProblemError(BODY_TOO_LARGE, self._too_large)
            return message

        return counted


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
