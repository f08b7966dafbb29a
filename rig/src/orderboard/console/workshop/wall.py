"""The wall's page, and the reports that it takes: on this machine, or elsewhere from those who have its token."""

import errno
import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orderboard.errors import RigError, UsageError
from orderboard.web.security import SameOriginOnly
from orderboard.workshop.catalogue import everything
from orderboard.workshop.wall.attendees import Attendees, FullError
from orderboard.workshop.wall.report import MAX_BYTES, Report

_STATIC: Final = Path(__file__).parents[1] / "static"
_TOKEN: Final = re.compile(r"[\w.~-]{8,64}", re.ASCII)
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
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self._token is None or hmac.compare_digest(given.encode(), self._token.encode())


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


def serve(attendees: Attendees, listening: socket.socket, token: str | None) -> None:
    """Serve until a signal ends it."""
    config = uvicorn.Config(
        create_wall(attendees, token),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_ENDS_WITHIN_S,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket at this address; raise RigError if it is taken or of another machine."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as exc:
        taken = exc.errno == errno.EADDRINUSE
        why = "it is taken. Give another --port." if taken else "it is not of this machine. Give another --host."
        raise RigError(f"The wall cannot listen at {host} port {port}: {why}") from exc


def needed_token(host: str, given: str | None, kept: Path) -> str | None:
    """Return the token: as given, else for an address other than loopback the kept one, which is made if there is none.

    The attendees of a wall that is started again know the kept one.
    """
    if given is not None:
        if not _TOKEN.fullmatch(given):
            raise UsageError("--token: expected 8 to 64 letters, digits or . _ ~ -, or leave it out to get one.")
        return given
    if _is_loopback(host):
        return None
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(9))
    return kept.read_text()


def addresses(host: str, port: int, token: str | None) -> list[str]:
    """Return the URLs of the wall: of every address of this machine, if it listens at all of them."""
    hosts = list(_own_addresses()) or [socket.gethostname()] if host in ("0.0.0.0", "::") else [host]  # noqa: S104
    fragment = "" if token is None else f"/#{token}"
    return [f"http://{f'[{each}]' if ':' in each else each}:{port}{fragment}" for each in hosts]


def _own_addresses() -> Iterator[str]:
    for found in psutil.net_if_addrs().values():
        for each in found:
            if each.family == socket.AF_INET and not _is_loopback(each.address):
                yield each.address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _message(text: str, status: int) -> Response:
    return JSONResponse({"message": text}, status_code=status)


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "workshop" / "wall.html")
