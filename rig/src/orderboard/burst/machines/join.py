"""The side of a machine that joins a burst: it sends its part of each load, and reports every answer."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSMsgType
from pydantic import ValidationError

from orderboard.burst.load.generator import Generator, Job
from orderboard.burst.machines.messages import (
    HEARTBEAT_S,
    MAX_NAME,
    PATH,
    Bye,
    Ended,
    FromMachine,
    Hello,
    Jobs,
    Leave,
    Over,
    Ping,
    Pong,
    Ready,
    Refused,
    Report,
    Start,
    Tell,
    ToMachine,
    Welcome,
    numbers_text,
    own_version,
    to_machine,
)
from orderboard.errors import RigError, UsageError
from orderboard.system.backends import checked_url

_CONNECTS_WITHIN_S: Final = 10.0
_REACHES_WITHIN_S: Final = 5.0
_REPORTS_EVERY_S: Final = 0.05
_LEAVES_WITHIN_S: Final = 3.0


@dataclass
class Joined:
    """The end of a membership: the runs, and the orders that were sent from here."""

    runs: int = 0
    sent: int = 0


@dataclass
class _Running:
    """A run: its generators by number, and what they have sent and reported."""

    number: int
    generators: Mapping[int, Generator]
    reports: dict[int, int] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    leaving: bool = False


def join(url: str, token: str, name: str, generators: int, say: Callable[[str], None]) -> Joined:
    """Join the burst at this URL, until it ends; raise UsageError if it does not accept, RigError if it is lost."""
    parts = urlsplit(checked_url("URL", url))
    base = f"{parts.scheme}://{parts.netloc}"
    return asyncio.run(Member(base, machine_name(name), generators, say).run(token))


def machine_name(name: str) -> str:
    """Return the name as a burst shows it."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:MAX_NAME] or "machine"


class Member:
    """The membership of this machine."""

    def __init__(self, base: str, name: str, generators: int, say: Callable[[str], None]) -> None:
        self._base, self._name, self._wanted, self._say = base, name, generators, say
        self._running: _Running | None = None
        self._joined = Joined()
        self._socket: aiohttp.ClientWebSocketResponse

    async def run(self, token: str) -> Joined:
        """Stay until the burst says goodbye."""
        async with aiohttp.ClientSession() as http:
            self._socket = await self._connect(http, token)
            await self._send(Hello(version=own_version(), machine=self._name, generators=self._wanted))
            reporting = asyncio.create_task(self._report())
            try:
                await self._stay()
            except asyncio.CancelledError:
                await self._leave()
                raise
            finally:
                reporting.cancel()
                await self._end_run()
                await self._socket.close()
        return self._joined

    async def _connect(self, http: aiohttp.ClientSession, token: str) -> aiohttp.ClientWebSocketResponse:
        try:
            return await asyncio.wait_for(
                http.ws_connect(
                    f"{self._base}{PATH}",
                    headers={"Authorization": f"Bearer {token}"},
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=0,
                ),
                _CONNECTS_WITHIN_S,
            )
        except aiohttp.WSServerHandshakeError as exc:
            if exc.status == 401:
                raise UsageError(
                    f"The burst at {self._base} does not know this token. Take the one that it printed."
                ) from exc
            raise UsageError(
                f"{self._base} is not a burst that waits for generators: it answers {exc.status}."
            ) from exc
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise RigError(
                f"No burst answers at {self._base}. Start it there: orderboard burst serve --listen HOST:PORT"
            ) from exc

    async def _stay(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                break
            try:
                following = to_machine(message.data)
            except ValidationError as exc:
                raise RigError(f"The burst at {self._base} is of another version: {own_version()} is here.") from exc
            if isinstance(following, Bye):
                return
            await self._obey(following)
        lost = "; the load was stopped here" if self._running is not None else ""
        raise RigError(f"The burst at {self._base} has ended without a goodbye, or cannot be reached any more{lost}.")

    async def _obey(self, message: ToMachine) -> None:
        running = self._running
        match message:
            case Ping(number=number):
                await self._send(Pong(number=number, at=time.monotonic()))
            case Welcome(numbers=numbers, of=of):
                self._say(f"Joined {self._base} as {numbers_text(numbers, of)}. Ctrl-C leaves it.")
            case Refused(why=why):
                raise UsageError(f"The burst at {self._base} refuses: {why}")
            case Jobs(run=run, jobs=jobs):
                await self._prepare(run, {number: each.job() for number, each in jobs.items()})
            case Start(run=run, at=at) if running is not None and run == running.number:
                self._joined.runs += 1
                self._say(f"Run {self._joined.runs} starts.")
                for generator in running.generators.values():
                    generator.start(at)
            case Tell(run=run, generator=number, command=command) if running is not None and run == running.number:
                running.generators[number].command(command)
            case Over(run=run) if running is not None and run == running.number:
                await self._end_run()
            case _:
                pass

    async def _prepare(self, run: int, jobs: Mapping[int, Job]) -> None:
        """Start the processes, and answer once they can start to send; the time until then does not block the pings."""
        await self._end_run()
        self._running = _Running(run, {number: Generator(job) for number, job in jobs.items()})
        self._preparing = asyncio.create_task(self._get_ready(self._running, list(jobs.values())))

    async def _get_ready(self, running: _Running, jobs: Sequence[Job]) -> None:
        problem = await _unreached(jobs[0].api_url)
        try:
            for each in running.generators.values():
                await asyncio.to_thread(each.ready)
        except RigError as exc:
            problem = problem or str(exc)
        if not problem:
            orders = [sum(stream.planned or 0 for stream in job.streams) for job in jobs]
            self._say(f"Ready to send{f' {sum(orders):,} orders' if all(orders) else ''} to {jobs[0].api_url}.")
        await self._send(Ready(run=running.number, problem=problem))

    async def _report(self) -> None:
        """Send on what the generators report."""
        while True:
            await self._report_once()
            await asyncio.sleep(_REPORTS_EVERY_S)

    async def _report_once(self) -> None:
        if (running := self._running) is None:
            return
        for number, generator in running.generators.items():
            for update in generator.updates():
                running.reports[number] = running.reports.get(number, 0) + 1
                running.sent[number] = sum(update.sent)
                # A load that ends because this machine leaves is not done.
                sent_on = update._replace(done=update.done and not running.leaving)
                await self._send(
                    Report(run=running.number, generator=number, number=running.reports[number], update=sent_on)
                )
            if (problem := generator.problem) and number not in running.ended:
                running.ended.add(number)
                self._say(f"Generator {number} ended before it was done ({problem}).")
                await self._send(Ended(run=running.number, generator=number, problem=problem))

    async def _leave(self) -> None:
        """End the load, and send what is known of it."""
        running = self._running
        if running is not None:
            running.leaving = True
            for each in running.generators.values():
                each.command("abort")
            for _ in range(round(_LEAVES_WITHIN_S / _REPORTS_EVERY_S)):
                await asyncio.sleep(_REPORTS_EVERY_S)
                if not any(each.running for each in running.generators.values()):
                    break
            await self._report_once()
        await self._send(Leave(why="Ctrl-C there"))

    async def _end_run(self) -> None:
        """End the processes of the run."""
        running, self._running = self._running, None
        if running is not None:
            self._joined.sent += sum(running.sent.values())
            for each in running.generators.values():
                await asyncio.to_thread(each.stop)

    async def _send(self, message: FromMachine) -> None:
        with suppress(ConnectionError, RuntimeError):  # its end is noticed where messages are received
            await self._socket.send_str(message.model_dump_json())


async def _unreached(api_url: str) -> str:
    """Return why order-api cannot be reached from here; empty if it can."""
    url = urlsplit(api_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(url.hostname, port), _REACHES_WITHIN_S)
    except (OSError, TimeoutError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else "no answer"
        return f"order-api at {api_url} cannot be reached from there ({why})."
    writer.close()
    return ""
