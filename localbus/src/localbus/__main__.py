"""The command line: python -m localbus --port 4566 --upstream http://127.0.0.1:4567."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import gc
import logging
import signal
import sys
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import uvloop

from localbus.clock import ManualClock
from localbus.delivery_faults import parse_faults
from localbus.engine import VERSION, Engine, Options

T = TypeVar("T")

_EPILOG = """\
Any AWS client that has this address as its endpoint can use it:

  python -m localbus &
  aws --endpoint-url http://127.0.0.1:4566 sqs create-queue --queue-name work
  curl http://127.0.0.1:4566/_localbus/        what can be looked at and turned while it runs

Credentials may be anything; an access key of twelve digits is an account. Nothing is kept when it ends.
"""


def main() -> None:
    """Run an engine until it is told to stop."""
    parser = _parser()
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    options = Options(
        given.host,
        given.port,
        given.upstream,
        enforce_policies=not given.no_policies,
        faults=given.disorder,
        allow_origins=tuple(given.allow_origin),
        sign_everything=given.sign_everything,
    )
    engine = Engine(options, ManualClock() if given.manual_clock else None)
    with contextlib.suppress(KeyboardInterrupt):  # one that comes before the loop takes signals
        try:
            uvloop.run(_run(engine))
        except OSError as exc:
            parser.exit(1, f"localbus: {_why_not(exc, given.host, given.port)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m localbus",
        description="SQS, SNS and EventBridge on this machine, in one process at one port, true to AWS.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"localbus {VERSION}")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--port", type=_checked(_port), default=4566, help="the port; 0 takes a free one (default: 4566)"
    )
    parser.add_argument(
        "--upstream",
        type=_checked(_url),
        metavar="URL",
        help="an engine for every other service, such as http://127.0.0.1:4567; without one they are not there",
    )
    parser.add_argument("--manual-clock", action="store_true", help="let time stand still until it is moved by HTTP")
    parser.add_argument("--no-policies", action="store_true", help="let services and other accounts send as they like")
    parser.add_argument(
        "--disorder",
        type=_checked(parse_faults),
        metavar="seed=7,duplicates=0.05,reordering=0.1,missed_polls=0.2,doubled_events=0.05",
        help="let standard queues and rules be no better than AWS promises; each is a probability, 0 if not named",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let web pages of this origin use it, such as https://shop.example; those of this machine may anyway",
    )
    parser.add_argument(
        "--sign-everything",
        action="store_true",
        help="sign what SNS sends to queues, functions and mail, too; it takes some milliseconds a message",
    )
    return parser


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let the parser show the words of a ValueError."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    return checked


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # uvloop would take it modulo 65536
        raise ValueError(f"port must be 0-65535, not {text!r}")
    return int(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{text!r} is no URL of an engine: http://HOST:PORT")
    return text


def _why_not(error: OSError, host: str, port: int) -> str:
    """Why listening failed, and the mend where there is one."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is already in use. Choose another with --port, or let --port 0 take a free one."
    return f"cannot listen on {host}:{port}: {error.strerror or error}."


async def _run(engine: Engine) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = await engine.start()
    # Messages are many, long-lived and never in cycles: a full collection over them would only be a pause.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    sys.stdout.write(f"localbus listens on {url}\nWhat is inside: {url}/_localbus/\n")
    sys.stdout.flush()
    await stop.wait()
    await engine.stop()


if __name__ == "__main__":
    main()
