"""The command line: python -m localbus --port 4566 --upstream http://127.0.0.1:4567."""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # until the engine has started: collections would take a fifth of the time of the imports

import asyncio
import contextlib
import errno
import logging
import shlex
import signal
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import uvloop

from localbus.clock import ManualClock, this_second
from localbus.command_line import command_line
from localbus.engine import Engine, Options, Tls
from localbus.http.server import ListenError
from localbus.http.tls import certificate_file
from localbus.init_files import InitError, InitFile, apply, check_names
from localbus.storage.database import DataFolderError


def main() -> None:
    """Run an engine until SIGINT or SIGTERM."""
    parser = command_line()
    given = parser.parse_args()
    if given.fsync and not given.data:
        parser.error("--fsync needs --data DIR")
    try:
        check_names(given.init)
    except ValueError as exc:
        parser.error(f"argument --init: {exc}")
    level = logging.ERROR if given.quiet else logging.INFO
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
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
            engine = Engine(options, ManualClock(this_second()) if given.manual_clock else None)
            uvloop.run(_run(engine, given.init))
        except (DataFolderError, InitError) as exc:
            parser.exit(1, f"localbus: {exc}\n")
        except OSError as exc:
            parser.exit(1, f"localbus: {_start_error(exc, given.tls_port if given.tls else None)}\n")


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


async def _run(engine: Engine, init: Sequence[InitFile]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine.developer_api.is_ready = not init
    gc.collect()  # what the imports have left
    url = await engine.start()
    # Messages are many, long-lived and never in cycles: a full collection would only cause a pause.
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 50, 1000)
    try:
        await _until(stop, _init(engine, init, url))
        await stop.wait()
    finally:
        await engine.stop()


async def _init(engine: Engine, files: Sequence[InitFile], url: str) -> None:
    """Apply the files of --init. Then the engine is ready, and says so."""
    await apply(files, engine.stacks, _from_here(url))
    engine.developer_api.is_ready = True
    with contextlib.suppress(OSError):  # a log on a full disk must not end the engine
        _print_addresses(engine, url)


def _from_here(url: str) -> str:
    """Return the URL for a client on this machine, of an engine that may listen on every address."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, as far as it gets until the stop."""
    tasks = [asyncio.ensure_future(each) for each in (work, stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _print_addresses(engine: Engine, url: str) -> None:
    sys.stdout.write(f"localbus listens on {url}\nDeveloper API: {url}/_localbus/\n")
    if engine.https_url is not None and engine.options.tls is not None:
        trusted = shlex.quote(str(certificate_file(engine.options.tls.folder).absolute()))
        sys.stdout.write(f"and on {engine.https_url}, for clients that trust {trusted}:\n")
        sys.stdout.write(f"  export AWS_CA_BUNDLE={trusted} NODE_EXTRA_CA_CERTS={trusted}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
