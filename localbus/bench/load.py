"""Load in phases, so that engines and backlogs take turns: so many messages each, and what they cost."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from client import Client
from engines import Engine

CONNECTIONS = 4
PHASE_MESSAGES = 1_000
PHASE_MOST_S = 10.0  # a phase on an engine that is too slow ends early
TURN_S = 3.0

Step = Callable[[Client], Awaitable[int]]  # one or two requests; the number of messages that they were for


@dataclass
class Sum:
    """What several phases of one kind took together."""

    messages: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    client_s: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.wall_s

    @property
    def cost_s(self) -> float:
        """The server's processor seconds for a thousand messages."""
        return self.cpu_s / self.messages * 1000


@dataclass
class Operation:
    """What is done by an engine, in a phase of a turn; `rounds` has one sum for each turn."""

    name: str
    step: Step
    is_measured: bool = True
    rounds: list[Sum] = field(default_factory=list)

    def rates(self) -> list[float]:
        """Messages a second in each round."""
        return [one.rate for one in self.rounds]

    def costs_s(self) -> list[float]:
        """The server's processor seconds for a thousand messages in each round."""
        return [one.cost_s for one in self.rounds]

    def busy(self) -> float:
        """How much of the time the server computed, at most 1; the rest it waited for the client or the machine."""
        return statistics.median(one.cpu_s / one.wall_s for one in self.rounds)

    def client_busy(self) -> float:
        """How much of the time the client computed."""
        return statistics.median(one.client_s / one.wall_s for one in self.rounds)


@dataclass
class Contender:
    """An engine in one state, such as with so many messages in its queue, and the cycle of what it does in its turn."""

    label: str
    engine: Engine
    cycle: Sequence[Operation]
    connections: int = CONNECTIONS

    async def turn(self) -> None:
        """Go through the cycle for so long, and to its end."""
        clients = [await Client.connect(self.engine.port) for _ in range(self.connections)]
        sums = [Sum() for _ in self.cycle]
        while sum(one.wall_s for one in sums) < TURN_S:
            for operation, total in zip(self.cycle, sums, strict=True):
                await phase(self.engine, clients, operation.step, PHASE_MESSAGES, total)
        for operation, total in zip(self.cycle, sums, strict=True):
            if operation.is_measured:
                operation.rounds.append(total)
        for client in clients:
            client.close()


async def phase(
    engine: Engine, clients: Sequence[Client], step: Step, most: int, total: Sum, *, most_s: float = PHASE_MOST_S
) -> None:
    """So many messages, or as many as go in that time, over all connections."""
    started, cpu_s, client_s = time.perf_counter(), engine.cpu_s(), time.process_time()
    done = 0

    async def keep_on(client: Client) -> None:
        nonlocal done
        while done < most and time.perf_counter() - started < most_s:
            more = await step(client)  # apart from the addition: others add meanwhile
            done += more

    await asyncio.gather(*map(keep_on, clients))
    total.wall_s += time.perf_counter() - started
    total.cpu_s += engine.cpu_s() - cpu_s
    total.client_s += time.process_time() - client_s
    total.messages += done


async def take_turns(contenders: Iterable[Contender], rounds: int, say: Callable[[str], None]) -> None:
    """One round after the other, and in each of them every contender: what else the machine does, all of them feel."""
    contenders = list(contenders)
    for number in range(1, rounds + 1):
        for contender in contenders:
            say(f"round {number} of {rounds}: {contender.label}")
            await contender.turn()


async def fill(engine: Engine, step: Step, messages: int) -> None:
    """Bring in the backlog."""
    clients = [await Client.connect(engine.port) for _ in range(CONNECTIONS)]
    await phase(engine, clients, step, messages, Sum(), most_s=1800)
    for client in clients:
        client.close()
