"""The command line: python -m localbus --port 4566 --upstream http://127.0.0.1:4567."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys

import uvloop

from localbus import disorder
from localbus.clock import ManualClock
from localbus.engine import Engine, Options


def main() -> None:
    """Run an engine until it is told to stop."""
    parser = argparse.ArgumentParser(prog="localbus", description="SQS on this machine, true to AWS.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=4566, help="the port; 0 takes a free one (4566)")
    parser.add_argument("--upstream", help="the URL of an engine for every other service")
    parser.add_argument("--manual-clock", action="store_true", help="let time stand still until it is moved by HTTP")
    parser.add_argument("--no-policies", action="store_true", help="let services and other accounts send as they like")
    parser.add_argument(
        "--disorder",
        type=disorder.parse,
        metavar="seed=7,duplicates=0.05,reordering=0.1,missed_polls=0.2",
        help="let standard queues be no better than AWS promises",
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    options = Options(
        given.host, given.port, given.upstream, enforce_policies=not given.no_policies, disorder=given.disorder
    )
    uvloop.run(_run(Engine(options, ManualClock() if given.manual_clock else None)))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # uvloop would take it modulo 65536
        raise argparse.ArgumentTypeError("port must be 0-65535")
    return port


async def _run(engine: Engine) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = await engine.start()
    # Messages are many, long-lived and never in cycles: a full collection over them would only be a pause.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    sys.stdout.write(f"localbus listens on {url}\n")
    sys.stdout.flush()
    await stop.wait()
    await engine.stop()


if __name__ == "__main__":
    main()
