"""The machines that join a burst: where they are waited for, and who they are."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web
from pydantic import ValidationError

from orderboard.burst.load.generator import Job
from orderboard.burst.load.handle import GeneratorHandle
from orderboard.burst.machines.machine import Machine
from orderboard.burst.machines.messages import (
    HEARTBEAT_S,
    PATH,
    Hello,
    Refused,
    ToMachine,
    Welcome,
    from_machine,
    numbers_text,
    own_version,
)
from orderboard.errors import RigError
from orderboard.web.listening import has_token, is_loopback, listen

_HELLO_WITHIN_S: Final = 10.0
_MAX_MESSAGE_BYTES: Final = 64_000_000
_CLOSED_WITHIN_S: Final = 3.0
_ABOUT: Final = "A burst waits here for generators: orderboard burst join URL, with the token that it printed.\n"
_WRONG_TOKEN: Final = "The token is wrong. Take the one that the burst printed."  # noqa: S105
_NO_CONNECTION: Final = "the connection was lost"


class Crew:
    """The places for generators, and the machines that took them. say: gets a line for each that comes or goes."""

    def __init__(self, wanted: int, token: str, say: Callable[[str], None]) -> None:
        self._wanted, self._token, self._say = wanted, token, say
        self._machines: list[Machine] = []
        self._changed = threading.Condition()
        self._runs = 0
        self._waiting = True

    def wait(self, within_s: float) -> None:
        """Wait until every place is taken; raise RigError if that takes too long."""
        until = time.monotonic() + within_s
        with self._changed:
            while (free := len(self._free())) and (rest_s := until - time.monotonic()) > 0:
                self._changed.wait(min(rest_s, 1.0))  # so that a signal is handled
            self._waiting = False
        if free:
            raise RigError(
                f"{free} of {self._wanted} generators did not join within {within_s:g} s. Nothing was sent. "
                "Give --join-within more time, or --generators fewer."
            )

    def start_generators(self, jobs: Sequence[Job]) -> Sequence[GeneratorHandle]:
        """Give each machine its jobs; raise RigError if one has left."""
        with self._changed:
            machines, free = list(self._machines), self._free()
            self._runs += 1
        if free:
            raise RigError(f"{numbers_text(free, self._wanted).capitalize()} left before the load began.")
        found: dict[int, GeneratorHandle] = {}
        for each in machines:
            part = {number: _reached_by(each, jobs[number - 1]) for number in each.numbers}
            found |= each.begin(self._runs, part).generators
        return [found[number] for number in sorted(found)]

    def application(self) -> web.Application:
        """Return what is served."""
        app = web.Application()
        app.router.add_get("/", _about)
        app.router.add_get(PATH, self._join)
        return app

    async def dismiss(self) -> None:
        """Let every machine go, and close its connection."""
        self._waiting = False
        await asyncio.gather(*(each.dismiss() for each in self._machines))

    def _free(self) -> list[int]:
        taken = {number for each in self._machines for number in each.numbers}
        return [number for number in range(1, self._wanted + 1) if number not in taken]

    async def _join(self, request: web.Request) -> web.StreamResponse:
        if not has_token(request.headers.get("Authorization"), self._token):
            return web.json_response({"message": _WRONG_TOKEN}, status=401)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=_MAX_MESSAGE_BYTES, compress=False)
        await socket.prepare(request)
        try:
            hello = from_machine(await asyncio.wait_for(socket.receive_str(), _HELLO_WITHIN_S))
        except (ValidationError, TypeError, TimeoutError):
            return await _refuse(socket, f"This is not a generator of {own_version()}, which the burst has.")
        machine = self._admit(hello, socket, request) if isinstance(hello, Hello) else "A hello comes first."
        if isinstance(machine, str):
            return await _refuse(socket, machine)
        try:
            await _send(socket, Welcome(numbers=machine.numbers, of=self._wanted))
            await self._listen(machine, socket)
        finally:
            self._leave(machine)
        return socket

    async def _listen(self, machine: Machine, socket: web.WebSocketResponse) -> None:
        """Take its messages until it leaves."""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            try:
                machine.receive(from_machine(message.data))
            except ValidationError:
                machine.left("it sent a message of another version")
                break

    def _admit(self, hello: Hello, socket: web.WebSocketResponse, request: web.Request) -> Machine | str:
        """Return the machine, which has places now; else why it cannot join."""
        if hello.version != own_version():
            return f"The burst has {own_version()}, {hello.machine} has {hello.version}. Use the same on all machines."
        with self._changed:
            free = self._free()
            if hello.generators > len(free):
                have = f"{len(free)} of its {self._wanted} generators are missing" if free else "it has all of them"
                return f"{hello.machine} brings {hello.generators}, but the burst has no place for that: {have}."
            peer = request.remote or ""
            host = None if is_loopback(peer) else urlsplit(f"//{request.host}").hostname
            machine = Machine(hello, tuple(free[: hello.generators]), socket, host)
            self._machines.append(machine)
            self._changed.notify_all()
            missing = len(free) - hello.generators
        self._say(
            f"{hello.machine} joined as {numbers_text(machine.numbers, self._wanted)}"
            + (f"; {missing} to come" if missing else "")
        )
        return machine

    def _leave(self, machine: Machine) -> None:
        with self._changed:
            self._machines.remove(machine)
            machine.left(_NO_CONNECTION)
            self._changed.notify_all()
        if self._waiting:
            self._say(f"{machine.name} left ({machine.gone}); {len(self._free())} to come")


@contextmanager
def crew_at(host: str, port: int, crew: Crew) -> Iterator[int]:
    """Let machines join at this address until the block ends; return the port. Raise RigError if it cannot listen."""
    with listen("The burst", host, port, port_option="port in --listen", host_option="host in --listen") as socket:
        loop, started = asyncio.new_event_loop(), threading.Event()
        ending = asyncio.Event()

        async def serve() -> None:
            runner = web.AppRunner(crew.application(), access_log=None, shutdown_timeout=_CLOSED_WITHIN_S)
            await runner.setup()
            await web.SockSite(runner, socket).start()
            started.set()
            await ending.wait()
            await crew.dismiss()
            await runner.cleanup()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="crew", daemon=True)
        thread.start()
        started.wait()
        try:
            yield socket.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(ending.set)
            thread.join()
            loop.close()


def _reached_by(machine: Machine, job: Job) -> Job:
    """Return the job with an address of order-api for another machine: by the name that it calls this one."""
    url = urlsplit(job.api_url)
    if machine.host is None or not is_loopback(url.hostname or ""):
        return job
    name = f"[{machine.host}]" if ":" in machine.host else machine.host
    return replace(job, api_url=url._replace(netloc=f"{name}:{url.port}").geturl())


async def _refuse(socket: web.WebSocketResponse, why: str) -> web.WebSocketResponse:
    await _send(socket, Refused(why=why))
    await socket.close()
    return socket


async def _send(socket: web.WebSocketResponse, message: ToMachine) -> None:
    await socket.send_str(message.model_dump_json())


async def _about(_: web.Request) -> web.Response:
    return web.Response(text=_ABOUT)
