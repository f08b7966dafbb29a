"""Backends: a running one, or one that is started and ended here."""

import socket
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from orderboard_stack.backend import HEALTH_PATHS, BackendName, BackendUnreachableError, Endpoint, detect
from orderboard_stack.local_backend import LOCAL_NAMES, LocalStartError, start_local
from orderboard_stack.process import read_json

from orderboard.errors import RigError, UsageError
from orderboard.terminal.progress import Screen, confirm

if TYPE_CHECKING:
    from orderboard_stack.aws import Account

_HEALTH_WITHIN_S: Final = 5.0
_CONNECTS_WITHIN_S: Final = 2.0
CLEAN_START: Final = "orderboard reset && orderboard up"
_ENGINES: Final = {"embedded": "localbus"}


@dataclass(frozen=True)
class Backend:
    """A backend that answers. stop is None if it was not started here; data_dir, if its state goes with it."""

    endpoint: Endpoint
    pid: int | None = None
    log_path: Path | None = None
    data_dir: Path | None = None
    container_id: str | None = None
    stop: Callable[[], None] | None = None


def start_backend(
    name: BackendName,
    endpoint_url: str | None,
    log_path: Path,
    *,
    detached: bool,
    progress: Callable[[str], None],
    data_dir: Path | None = None,
    disorder: str | None = None,
    manual_clock: bool = False,
    alone: bool = False,
) -> Backend:
    """Start this backend, or use the one at endpoint_url. aws is never started.

    data_dir is where the embedded backend keeps its state after its end; other backends keep none. alone: see
    detect.
    """
    option = "--disorder" if disorder is not None else "--manual-clock" if manual_clock else None
    if option is not None and (endpoint_url is not None or name not in LOCAL_NAMES):
        raise UsageError(f"{option} works only with the embedded backend, started here. Leave out --endpoint-url.")
    if endpoint_url is not None or name == "aws":
        return Backend(reach(name, endpoint_url, alone=alone))
    if name == "localstack":
        return _start_localstack(progress, detached=detached)
    kept = data_dir if name == "embedded" else None
    try:
        local = start_local(
            name,
            log_path,
            detached=detached,
            data_dir=kept,
            disorder=disorder,
            manual_clock=manual_clock,
        )
    except LocalStartError as exc:
        clean = f"\nTo start with nothing: {CLEAN_START}" if kept is not None and str(kept) in str(exc) else ""
        raise RigError(f"{exc}{clean}") from exc
    except ValueError as exc:
        raise UsageError(f"{option}: {exc}.") from exc
    return Backend(local.endpoint, local.pid, log_path, kept, stop=local.stop)


def reach(name: BackendName | None, endpoint_url: str | None, *, alone: bool = False) -> Endpoint:
    """The running backend: at the URL, else at the usual place of one of this name. alone: see detect."""
    if name == "aws" and endpoint_url is None:
        return find_account().endpoint
    url = endpoint_url or (_localstack_url() if name == "localstack" else None)
    if url is None:
        which = f"The {name} backend" if name in LOCAL_NAMES else "A local backend"
        raise UsageError(f"{which} runs only inside `orderboard up` or `demo`. Start it: orderboard up")
    try:
        return detect(checked_url("--endpoint-url", url), alone=alone)
    except BackendUnreachableError as exc:
        raise RigError(str(exc)) from exc


def checked_url(option: str, url: str) -> str:
    """Return the URL; raise UsageError unless it is one of HTTP, with a host that can be looked up."""
    try:
        address = urlsplit(url)
        host = (address.hostname or "").encode("idna")
        valid = address.scheme in ("http", "https") and bool(host) and address.port != 0 and url.isprintable()
    except ValueError:  # the port is not a number, a bracket is not closed, or a part of the name is empty or too long
        valid = False
    if not valid:
        raise UsageError(f"{option} {url!r} is not a URL. Give it as http://HOST:PORT.")
    return url


def backend_answers(endpoint: Endpoint) -> bool:
    """Return whether a process still listens there. One that ended refuses at once; a busy one is only slow."""
    if endpoint.endpoint_url is None:
        return True
    address = urlsplit(endpoint.endpoint_url)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname, port), _CONNECTS_WITHIN_S).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def version_of(endpoint: Endpoint) -> str:
    """The versions that answer there, such as `localbus 0.1.0, ministack 1.5.33`; empty if they are not reported."""
    names: tuple[BackendName, ...] = ("embedded", "ministack") if endpoint.name == "embedded" else (endpoint.name,)
    found: list[str] = []
    for name in names:
        if endpoint.endpoint_url is None or (path := HEALTH_PATHS.get(name)) is None:
            continue
        health = read_json(f"{endpoint.endpoint_url.rstrip('/')}{path}", _HEALTH_WITHIN_S)
        if isinstance(health, dict) and isinstance(health.get("version"), str):
            found.append(f"{_ENGINES.get(name, name)} {health['version']}")
    return ", ".join(found)


def consent(endpoint: Endpoint, *, yes: bool, screen: Screen | None = None) -> None:
    """Name the AWS account that would be changed, and go on only with the user's consent. Local backends need none.

    screen: shown meanwhile.
    """
    if endpoint.local:
        return
    text = account_line(endpoint)
    with nullcontext() if screen is None else screen.paused():
        confirm(text, yes=yes)


def account_line(endpoint: Endpoint, expected: str | None = None) -> str:
    """Return a sentence that names the AWS account; raise RigError if it is not the expected one."""
    account = find_account(expected)
    return f"This uses the AWS account {account.account_id} in {endpoint.region}, as {account.arn}. It costs money."


def find_account(expected: str | None = None) -> "Account":
    """Return the account of the usual credentials; raise RigError if there is none, or if another one is expected."""
    from orderboard_stack.aws import NoAccountError, account  # noqa: PLC0415 - boto3 takes long to import

    if expected is not None and not (len(expected) == 12 and expected.isascii() and expected.isdecimal()):
        raise UsageError(f"--account {expected!r}: expected the 12 digits of an account.")
    try:
        found = account()
    except NoAccountError as exc:
        raise RigError(str(exc)) from exc
    if expected not in (None, found.account_id):
        raise RigError(
            f"These credentials are of account {found.account_id}, but --account says {expected}. Nothing was done. "
            "Choose others: AWS_PROFILE."
        )
    return found


def _start_localstack(progress: Callable[[str], None], *, detached: bool) -> Backend:
    # The Docker SDK takes a while to import; only this backend needs it.
    from orderboard_stack.localstack import DockerUnavailableError, LocalStackStartError, start_localstack  # noqa: PLC0415

    try:
        localstack = start_localstack(detached=detached, progress=progress)
    except (DockerUnavailableError, LocalStackStartError) as exc:
        raise RigError(str(exc)) from exc
    return Backend(localstack.endpoint, container_id=localstack.container_id, stop=localstack.stop)


def _localstack_url() -> str | None:
    # LocalStack's own rules for the usual address: LOCALSTACK_HOST, else localhost:4566.
    from localstack_client.config import get_service_endpoint  # type: ignore[import-untyped]  # noqa: PLC0415

    url: str | None = get_service_endpoint("cloudformation")
    return url
