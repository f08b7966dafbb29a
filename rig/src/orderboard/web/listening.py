"""A place to listen at, and the token of those who may send something to it."""

import errno
import hmac
import ipaddress
import re
import socket
from collections.abc import Iterator
from typing import Final

import psutil

from orderboard.errors import RigError, UsageError

_TOKEN: Final = re.compile(r"[\w.~-]{8,64}", re.ASCII)


def listen(what: str, host: str, port: int, *, port_option: str, host_option: str) -> socket.socket:
    """Return a socket at this address; raise RigError if it is taken or of another machine. what: opens the error."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as exc:
        taken = exc.errno == errno.EADDRINUSE
        why = (
            f"it is taken. Give another {port_option}."
            if taken
            else f"it is not of this machine. Give another {host_option}."
        )
        raise RigError(f"{what} cannot listen at {host} port {port}: {why}") from exc


def checked_token(option: str, token: str) -> str:
    """Return a token that was given; raise UsageError if it is too easy to guess, or does not fit into a header."""
    if not _TOKEN.fullmatch(token):
        raise UsageError(f"{option}: expected 8 to 64 letters, digits or . _ ~ -, or leave it out to get one.")
    return token


def has_token(authorization: str | None, token: str) -> bool:
    """Return whether this header has the token, in a time that says nothing of it."""
    return hmac.compare_digest((authorization or "").removeprefix("Bearer ").encode(), token.encode())


def addresses(host: str, port: int) -> list[str]:
    """Return the URLs of what listens there: of every address of this machine, if it listens at all of them."""
    hosts = list(_own_addresses()) or [socket.gethostname()] if listens_everywhere(host) else [host]
    return [f"http://{f'[{each}]' if ':' in each else each}:{port}" for each in hosts]


def listens_everywhere(host: str) -> bool:
    """Return whether this is not one address, but all of the machine."""
    return host in ("0.0.0.0", "::")  # noqa: S104


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_addresses() -> Iterator[str]:
    for found in psutil.net_if_addrs().values():
        for each in found:
            if each.family == socket.AF_INET and not is_loopback(each.address):
                yield each.address
