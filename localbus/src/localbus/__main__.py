"""The command line: python -m localbus --port 4566 --upstream http://127.0.0.1:4567."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import gc
import logging
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import uvloop

from localbus.clock import ManualClock
from localbus.delivery_faults import parse_faults
from localbus.engine import VERSION, Engine, Options, Tls
from localbus.http.server import ListenError
from localbus.http.tls import certificate_file
from localbus.storage.database import DataFolderError

T = TypeVar("T")

_CERTIFICATES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "localbus"

_EPILOG = """\
Any AWS client can use it as its endpoint:

  python -m localbus &
  aws --endpoint-url http://127.0.0.1:4566 sqs create-queue --queue-name work
  curl http://127.0.0.1:4566/_localbus/        lists what to inspect and change while it runs

Any credentials are valid; an access key of twelve digits is an account. Without --data everything ends with it.
"""


def main() -> None:
    """Run an engine until SIGINT or SIGTERM."""
    parser = _parser()
    given = parser.parse_args()
    if given.fsync and not given.data:
        parser.error("--fsync needs --data DIR")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    options = Options(
        given.host,
        given.port,
        given.upstream,
        enforce_policies=not given.no_policies,
        faults=given.disorder,
        allow_origins=tuple(given.allow_origin),
        sign_everything=given.sign_everything,
        tls=Tls(given.tls, given.tls_port) if given.tls else None,
        public_url=given.public_url,
        data=given.data,
        fsync=given.fsync,
    )
    with contextlib.suppress(KeyboardInterrupt):  # an interrupt before the loop handles signals
        try:
            engine = Engine(options, ManualClock() if given.manual_clock else None)
            uvloop.run(_run(engine))
        except DataFolderError as exc:
            parser.exit(1, f"localbus: {exc}\n")
        except OSError as exc:
            parser.exit(1, f"localbus: {_start_error(exc, given.tls_port if given.tls else None)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localbus",
        description="SQS, SNS, EventBridge and DynamoDB as AWS behaves, in one local process at one port.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"localbus {VERSION}")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=_checked(_port), default=4566, help="port; 0 chooses a free one (default: 4566)")
    parser.add_argument(
        "--upstream",
        type=_checked(_url),
        metavar="URL",
        help="engine for all other services, such as http://127.0.0.1:4567 (default: none)",
    )
    parser.add_argument("--manual-clock", action="store_true", help="stop the clock; POST /_localbus/clock moves it")
    parser.add_argument("--no-policies", action="store_true", help="do not enforce resource policies")
    parser.add_argument(
        "--disorder",
        type=_checked(parse_faults),
        metavar="seed=7,duplicates=0.05,reordering=0.1,missed_polls=0.2,doubled_events=0.05",
        help="delivery faults that AWS permits, for standard queues and rules: probabilities from 0 to 1 (default: 0)",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        type=_checked(_origin),
        default=[],
        metavar="ORIGIN",
        help="allow web pages of this origin, such as https://shop.example, or of all (*); this machine always may",
    )
    parser.add_argument(
        "--sign-everything",
        action="store_true",
        help="sign SNS messages to queues, functions and e-mail too; this takes some milliseconds a message",
    )
    parser.add_argument(
        "--tls",
        nargs="?",
        type=Path,
        const=_CERTIFICATES,
        metavar="FOLDER",
        help="serve https too, by a certificate that is kept in FOLDER (default: ~/.cache/localbus)",
    )
    parser.add_argument(
        "--tls-port", type=_checked(_port), default=4443, metavar="PORT", help="port of --tls; 0: a free one (4443)"
    )
    parser.add_argument(
        "--public-url",
        type=_checked(_public_url),
        metavar="URL",
        help="address that queue URLs and SNS messages show, such as https://localbus:4443 (default: the request's)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep what was acknowledged in this folder, so that it survives kill -9 (default: in memory)",
    )
    parser.add_argument(
        "--fsync", action="store_true", help="with --data: also survive a power failure; each answer waits for the disk"
    )
    return parser


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return the reader with its ValueError as the parser's error."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    return checked


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:  # uvloop would take it modulo 65536
        raise ValueError(f"invalid port {text!r}: expected 0 to 65535")
    return int(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"invalid upstream URL {text!r}: expected http://HOST:PORT")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"invalid public URL {text!r}: expected http://HOST[:PORT] or https://HOST[:PORT]")
    return text


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if text != "*" and (not parts.scheme or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}"):
        raise ValueError(f"invalid origin {text!r}: expected scheme://host[:port], or *")
    return text


def _start_error(error: OSError, tls_port: int | None) -> str:
    """Return why the start failed, with a fix if there is one."""
    if not isinstance(error, ListenError):
        return f"cannot read or write {error.filename}: {error.strerror}. Name another folder with --tls FOLDER."
    if error.errno == errno.EADDRINUSE:
        option = "--tls-port" if error.port == tls_port else "--port"
        return (
            f"port {error.port} of {error.host} is already in use. "
            f"Choose another with {option}, or use {option} 0 for a free one."
        )
    return f"cannot listen on {error.host}:{error.port}: {error.strerror}."


async def _run(engine: Engine) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    gc.disable()  # while many messages may be read from the data folder
    url = await engine.start()
    # Messages are many, long-lived and never in cycles: a full collection would only cause a pause.
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    with contextlib.suppress(OSError):  # a log on a full disk must not end the engine
        _print_addresses(engine, url)
    await stop.wait()
    await engine.stop()


def _print_addresses(engine: Engine, url: str) -> None:
    sys.stdout.write(f"localbus listens on {url}\nDeveloper API: {url}/_localbus/\n")
    if engine.https_url is not None and engine.options.tls is not None:
        trusted = shlex.quote(str(certificate_file(engine.options.tls.folder).absolute()))
        sys.stdout.write(f"and on {engine.https_url}, for clients that trust {trusted}:\n")
        sys.stdout.write(f"  export AWS_CA_BUNDLE={trusted} NODE_EXTRA_CA_CERTS={trusted}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
