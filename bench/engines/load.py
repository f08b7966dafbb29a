"""Load in phases, by which engines and backlogs alternate, with the cost of each phase."""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engines.client import Client
from engines.engine import Engine

CONNECTIONS = 4
PHASE_MESSAGES = 1_000
PHASE_MOST_S = 10.0  # a phase on an engine that is too slow ends early
TURN_S = 3.0

Step = Callable[[Client], Awaitable[int]]  # makes one or two requests; returns their number of messages


@dataclass(frozen=True)
class Run:
    """The options of a run. `backlogs` are in messages; the others are compared with the first."""

    rounds: int = 5
    backlogs: tuple[int, ...] = (1_000, 10_000, 100_000, 500_000)

    def numbers(self) -> range:
        """The numbers of the rounds, from 1."""
        return range(1, self.rounds + 1)

    def progress(self, text: str) -> None:
        """Show progress on a terminal, in a line that the next one overwrites."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()


@dataclass
class Total:
    """The totals of several phases of one kind."""

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
        """The server's CPU seconds for a thousand messages."""
        return self.cpu_s / self.messages * 1000


@dataclass
class Operation:
    """An operation on an engine, a phase of each turn. `rounds` has one total for each turn."""

    name: str
    step: Step
    is_measured: bool = True
    rounds: list[Total] = field(default_factory=list)

    def rates(self) -> list[float]:
        """Messages a second in each round."""
        return [one.rate for one in self.rounds]

    def costs_s(self) -> list[float]:
        """The server's CPU seconds for a thousand messages in each round."""
        return [one.cost_s for one in self.rounds]

    def server_busy(self) -> float:
        """The share of the time in which the server computed; below 1 it waited for the client or the machine."""
        return statistics.median(one.cpu_s / one.wall_s for one in self.rounds)

    def client_busy(self) -> float:
        """The share of the time in which the client computed."""
        return statistics.median(one.client_s / one.wall_s for one in self.rounds)

    def document(self) -> dict[str, Any]:
        """The operation for --json."""
        return {
            "operation": self.name,
            "messages_per_s": self.rates(),
            "server_cpu_s_per_1000": self.costs_s(),
            "server_busy": self.server_busy(),
            "client_busy": self.client_busy(),
        }

    def cells(self, engine: str) -> tuple[str, ...]:
        """A row of the table of speeds."""
        rates, cost_s = self.rates(), statistics.median(self.costs_s())
        spread, busy = f"{min(rates):,.0f} - {max(rates):,.0f}", (self.server_busy(), self.client_busy())
        return (
            self.name,
            engine,
            f"{statistics.median(rates):,.0f}",
            spread,
            f"{cost_s:.3f}",
            *map("{:.0%}".format, busy),
        )


@dataclass
class Contender:
    """An engine in one state, such as a backlog, and the cycle of operations in its turn."""

    label: str
    engine: Engine
    cycle: Sequence[Operation]
    connections: int = CONNECTIONS

    async def turn(self) -> None:
        """Repeat the whole cycle for TURN_S."""
        clients = await _connect(self.engine, self.connections)
        totals = [Total() for _ in self.cycle]
        while sum(one.wall_s for one in totals) < TURN_S:
            for operation, total in zip(self.cycle, totals, strict=True):
                await phase(self.engine, clients, operation.step, PHASE_MESSAGES, total)
        for operation, total in zip(self.cycle, totals, strict=True):
            if operation.is_measured:
                operation.rounds.append(total)
        for client in clients:
            client.close()


async def phase(
    engine: Engine, clients: Sequence[Client], step: Step, most: int, total: Total, *, most_s: float = PHASE_MOST_S
) -> None:
    """Process `most` messages over all connections, or as many as `most_s` allows; adds the costs to `total`."""
    started, cpu_s, client_s = time.perf_counter(), engine.cpu_s(), time.process_time()
    done = 0

    async def run_steps(client: Client) -> None:
        nonlocal done
        while done < most and time.perf_counter() - started < most_s:
            more = await step(client)  # a statement apart from the addition: other connections add meanwhile
            done += more

    await asyncio.gather(*map(run_steps, clients))
    total.wall_s += time.perf_counter() - started
    total.cpu_s += engine.cpu_s() - cpu_s
    total.client_s += time.process_time() - client_s
    total.messages += done


async def take_turns(contenders: Sequence[Contender], run: Run) -> None:
    """Give every contender a turn in each round, so that other load on the machine affects all of them alike."""
    for number in run.numbers():
        for contender in contenders:
            run.progress(f"round {number} of {run.rounds}: {contender.label}")
            await contender.turn()


async def fill(engine: Engine, step: Step, messages: int) -> None:
    """Send the backlog."""
    clients = await _connect(engine, CONNECTIONS)
    await phase(engine, clients, step, messages, Total(), most_s=1800)
    for client in clients:
        client.close()


async def _connect(engine: Engine, count: int) -> list[Client]:
    return [await Client.connect(engine.port) for _ in range(count)]
