"""Batch send, and batch receive with delete, at growing backlogs: localbus beside MiniStack, one client for both.

Run: python localbus/bench/queues.py [backlog ...]. Messages of 500 bytes in batches of ten over four connections. A run
sends a thousand messages onto the backlog and takes a thousand off it, in turns, for a second. Each figure is the
median of five runs: messages a second, and the server's CPU seconds for a thousand messages.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

CONNECTIONS = 4
RUNS = 5
RUN_S = 1.0
PHASE_MESSAGES = 1000
PHASE_MOST_S = 3.0
BODY = "x" * 500
SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"


@dataclass(frozen=True)
class Server:
    """A server's process and its port."""

    name: str
    process: subprocess.Popen[bytes]
    port: int

    def cpu_seconds(self) -> float:
        """What the process has used so far."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory_mib(self) -> float:
        """What it holds in memory."""
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Client:
    """One connection that speaks AWS JSON, unsigned: the client's own cost is small and the same for both."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._port = reader, writer, port

    @classmethod
    async def connect(cls, port: int) -> Client:
        """Open a connection."""
        return cls(port, *await asyncio.open_connection("127.0.0.1", port, limit=2**22))

    async def call(self, action: str, document: dict[str, Any]) -> dict[str, Any]:
        """One request and its answer."""
        body = json.dumps(document).encode()
        self._writer.write(
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nX-Amz-Target: AmazonSQS.{action}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nAuthorization: {SCOPE}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        try:
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        except asyncio.IncompleteReadError:  # the server has ended an idle or well-used connection
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
            return await self.call(action, document)
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(answer)
        return dict(json.loads(answer)) if answer else {}


Step = Callable[[Client], Coroutine[Any, Any, int]]


def sender(url: str, group: Callable[[int], str] | None) -> Step:
    """Sends batches of ten."""
    numbers = iter(range(10**9))

    async def send(client: Client) -> int:
        entries = []
        for place in range(10):
            entry = {"Id": str(place), "MessageBody": BODY}
            if group:
                number = next(numbers)
                entry |= {"MessageGroupId": group(number), "MessageDeduplicationId": f"{time.time()}-{number}"}
            entries.append(entry)
        return len((await client.call("SendMessageBatch", {"QueueUrl": url, "Entries": entries}))["Successful"])

    return send


def consumer(url: str) -> Step:
    """Receives and deletes batches of ten."""

    async def consume(client: Client) -> int:
        answer = await client.call("ReceiveMessage", {"QueueUrl": url, "MaxNumberOfMessages": 10})
        messages = answer.get("Messages", [])
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        if entries:
            await client.call("DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})
        return len(entries)

    return consume


@dataclass
class Sum:
    """What several phases of one kind took together."""

    messages: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    def cost(self) -> float:
        """CPU seconds for a thousand messages."""
        return self.cpu_seconds / self.messages * 1000


async def phase(server: Server, clients: list[Client], step: Step, total: Sum, *, most: int, most_s: float) -> None:
    """So many messages, or as many as go in that time."""
    started, cpu = time.perf_counter(), server.cpu_seconds()
    done = 0

    async def keep_on(client: Client) -> None:
        nonlocal done
        while done < most and time.perf_counter() - started < most_s:
            more = await step(client)  # apart from the addition: others add meanwhile
            done += more

    await asyncio.gather(*map(keep_on, clients))
    total.messages += done
    total.seconds += time.perf_counter() - started
    total.cpu_seconds += server.cpu_seconds() - cpu


async def measure(server: Server, backlog: int, groups: int | None) -> None:
    """Print one line of the table."""
    clients = [await Client.connect(server.port) for _ in range(CONNECTIONS)]
    name = f"bench-{backlog}-{groups or 0}" + (".fifo" if groups else "")
    attributes = {"FifoQueue": "true"} if groups else {}
    url = (await clients[0].call("CreateQueue", {"QueueName": name, "Attributes": attributes}))["QueueUrl"]
    send = sender(url, (lambda number: f"g{number % groups}") if groups else None)
    drain = consumer(url)
    before = server.memory_mib()
    await phase(server, clients, send, Sum(), most=backlog, most_s=600)
    memory = (server.memory_mib() - before) * 1024 / backlog - len(BODY) / 1024
    runs: list[tuple[Sum, Sum]] = []
    for _ in range(RUNS):
        sent, drained = Sum(), Sum()
        while sent.seconds + drained.seconds < RUN_S:
            await phase(server, clients, send, sent, most=PHASE_MESSAGES, most_s=PHASE_MOST_S)
            await phase(server, clients, drain, drained, most=PHASE_MESSAGES, most_s=PHASE_MOST_S)
        runs.append((sent, drained))
    figures = []
    for place in (0, 1):
        rate = statistics.median(run[place].rate() for run in runs)
        cost = statistics.median(run[place].cost() for run in runs)
        figures.append(f"{rate:8.0f} {cost:8.4f}")
    kind = f"FIFO, {groups} groups" if groups else "standard"
    sys.stdout.write(f"{server.name:10} {kind:20} {backlog:8} {figures[0]}   {figures[1]} {memory:8.2f}\n")
    sys.stdout.flush()


def start(name: str, arguments: list[str], environment: dict[str, str]) -> Server:
    """Start a server on a free port and wait till it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *(one.format(port=port) for one in arguments)]
    variables = os.environ | {key: value.format(port=port) for key, value in environment.items()}
    process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = "/_localbus/health" if name == "localbus" else "/_ministack/health"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").close()
            return Server(name, process, port)
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(name)


def main() -> None:
    """Measure every backlog on every server."""
    backlogs = [int(one) for one in sys.argv[1:]] or [1_000, 100_000]
    servers = [
        start("localbus", ["-m", "localbus", "--port", "{port}"], {}),
        start("ministack", ["-m", "ministack"], {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "{port}"}),
    ]
    try:
        heading = ("server", "queue", "backlog", "send/s", "CPU s/k", "drain/s", "CPU s/k", "KiB/message")
        sys.stdout.write("{:10} {:20} {:>8} {:>8} {:>8}   {:>8} {:>8} {:>8}\n".format(*heading))
        for backlog in backlogs:
            for server in servers:
                uvloop.run(measure(server, backlog, None))
        for groups in (1, 1_000, 100_000):
            uvloop.run(measure(servers[0], max(backlogs), groups))
    finally:
        for server in servers:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    main()
