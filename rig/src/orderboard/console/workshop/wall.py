"""The wall's page, and the reports that it takes: on this machine, or elsewhere from those who have its token."""

import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orderboard.web import listening
from orderboard.web.security import SameOriginOnly
from orderboard.workshop.catalogue import everything
from orderboard.workshop.wall.attendees import Attendees, FullError
from orderboard.workshop.wall.report import MAX_BYTES, Report

_STATIC: Final = Path(__file__).parents[1] / "static"
_UNKNOWN_CALLER: Final = "the token is wrong. Take the whole address that the wall prints, with what follows its #."
_ENDS_WITHIN_S: Final = 1


class Wall:
    """The wall's endpoints. token: None if it answers on this machine only."""

    def __init__(self, attendees: Attendees, token: str | None) -> None:
        self._attendees, self._token = attendees, token

    async def shown(self, request: Request) -> Response:
        """Return what the page shows."""
        if not self._knows(request):
            return _message(_UNKNOWN_CALLER, 401)
        return JSONResponse(self._attendees.document(everything(), datetime.now(UTC)))

    async def report(self, request: Request) -> Response:
        """Keep an attendee's report."""
        if not self._knows(request):
            return _message(_UNKNOWN_CALLER, 401)
        if int(request.headers["content-length"]) > MAX_BYTES:
            return _message(f"a report has at most {MAX_BYTES} bytes.", 413)
        try:
            self._attendees.accept(Report.model_validate_json(await request.body()), datetime.now(UTC))
        except ValidationError as exc:
            problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors()[:3])
            return _message(f"it is not a report: {'; '.join(problems)}.", 422)
        except FullError as exc:
            return _message(str(exc), 503)
        return JSONResponse({})

    def _knows(self, request: Request) -> bool:
        return self._token is None or listening.has_token(request.headers.get("authorization"), self._token)


def create_wall(attendees: Attendees, token: str | None) -> Starlette:
    """Build the application."""
    wall = Wall(attendees, token)
    return Starlette(
        routes=[
            Route("/", _page),
            Route("/api/wall", wall.shown),
            Route("/api/report", wall.report, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        middleware=[Middleware(SameOriginOnly, any_name=token is not None)],
    )


def serve(attendees: Attendees, at: socket.socket, token: str | None) -> None:
    """Serve until a signal ends it."""
    config = uvicorn.Config(
        create_wall(attendees, token),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_ENDS_WITHIN_S,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[at])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket at this address; raise RigError if it is taken or of another machine."""
    return listening.listen("The wall", host, port, port_option="--port", host_option="--host")


def needed_token(host: str, given: str | None, kept: Path) -> str | None:
    """Return the token: as given, else for an address other than loopback the kept one, which is made if there is none.

    The attendees of a wall that is started again know the kept one.
    """
    if given is not None:
        return listening.checked_token("--token", given)
    if listening.is_loopback(host):
        return None
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(9))
    return kept.read_text()


def addresses(host: str, port: int, token: str | None) -> list[str]:
    """Return the URLs of the wall: of every address of this machine, if it listens at all of them."""
    fragment = "" if token is None else f"/#{token}"
    return [f"{url}{fragment}" for url in listening.addresses(host, port)]


def _message(text: str, status: int) -> Response:
    return JSONResponse({"message": text}, status_code=status)


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "workshop" / "wall.html")
