"""A whole pipeline for one test: a stack, order-api and as many workers as the test starts."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from orderboard.ledger.evidence import announcements, gather
from orderboard.ledger.ledger import Ledger, Placed, balance
from orderboard.ledger.outcome_listener import OutcomeListener, listen_for_outcomes
from orderboard.orders.kinds import Ending
from orderboard.orders.queues import depth
from orderboard.system.process import stop_all
from orderboard.system.services import Service, ServiceOptions, start_api, start_worker
from orderboard.system.target import Target
from orderboard_stack.backend import Endpoint
from support.stack import DeployedStack

COMPLETED: frozenset[Ending] = frozenset(("completed",))


@dataclass
class Board:
    """The running services, and every order placed with the answers to it. `endpoint` is the services' own."""

    target: Target
    endpoint: Endpoint
    listener: OutcomeListener
    http: httpx.AsyncClient
    logs_dir: Path
    services: list[Service]
    placed: list[Placed] = field(default_factory=list)

    async def worker(self, **environment: str) -> Service:
        """Start one more worker, and wait until it is ready."""
        options = ServiceOptions(
            self.logs_dir,
            allow_faults=True,
            worker_environment={"ORDERBOARD_RECEIVE_WAIT_S": "1", **environment},
        )
        service = start_worker(self.endpoint, self.target.outputs, options, len(self.services))
        self.services.append(service)
        await asyncio.to_thread(service.wait)
        return service

    async def place(
        self, *, may_end: frozenset[Ending] = COMPLETED, sends: int = 1, until_accepted: bool = False, **order: Any
    ) -> tuple[str, Sequence[httpx.Response]]:
        """Post one order, `sends` times at once with one key, and record the answers for the ledger.

        until_accepted: post it again after each 503, as Retry-After says.
        """
        body = {"customer_id": "ada", "lines": [{"sku": "espresso", "quantity": 1}], **order}
        key = {"Idempotency-Key": secrets.token_hex(8)}
        answers = await asyncio.gather(*(self.http.post("/orders", json=body, headers=key) for _ in range(sends)))
        while until_accepted and answers[-1].status_code == httpx.codes.SERVICE_UNAVAILABLE:
            await asyncio.sleep(float(answers[-1].headers["Retry-After"]))
            answers = [await self.http.post("/orders", json=body, headers=key)]
        accepted = [answer.json() for answer in answers if answer.status_code == httpx.codes.ACCEPTED]
        self.placed.append(
            Placed(
                kind="test",
                may_end=may_end,
                order_ids=tuple(answer["order_id"] for answer in accepted),
                refusals=tuple(answer.text for answer in answers if answer.status_code != httpx.codes.ACCEPTED),
                total_cents=accepted[0]["total_cents"] if accepted else 0,
                express=body.get("priority") == "express",
            )
        )
        return accepted[0]["order_id"] if accepted else "", answers

    async def place_many(self, count: int, **order: Any) -> list[str]:
        """Place orders concurrently; return their ids."""
        return [order_id for order_id, _ in await asyncio.gather(*(self.place(**order) for _ in range(count)))]

    async def status(self, order_id: str) -> str | None:
        """Return the recorded status; None if the order is not recorded yet."""
        answer = await self.http.get(f"/orders/{order_id}")
        return str(answer.json()["status"]) if answer.status_code == httpx.codes.OK else None

    def waiting(self) -> int:
        """Count the messages in the two work queues, including those in flight."""
        outputs = self.target.outputs
        return sum(
            depth(self.target.sqs, self.target.queue_url(queue)).total
            for queue in (outputs.work_queue, outputs.express_queue)
        )

    def in_flight(self) -> int:
        """Count the messages of the work queue that a worker has received and not yet deleted."""
        return depth(self.target.sqs, self.target.queue_url(self.target.outputs.work_queue)).in_flight

    def alerts(self) -> list[tuple[str, str]]:
        """Kind and order id of each alert in the inbox."""
        return [(alert.kind, alert.order_id) for alert in announcements(self.target)]

    def ledger(self) -> Ledger:
        """Compare the answers with the current state."""
        return balance(
            self.placed,
            gather(self.target, self.listener),
            large_order_cents=int(self.target.outputs.large_order_cents),
        )

    def assert_balanced(self) -> None:
        """Assert that every accepted order ended once, and that every alert due was announced."""
        found = [str(found) for found in self.ledger().discrepancies]
        assert not found, "\n".join(found)


@asynccontextmanager
async def board(stack: DeployedStack, logs_dir: Path, proxy_url: str | None = None) -> AsyncIterator[Board]:
    """Start order-api on this stack, with a listener on the bus. The test starts the workers.

    With a proxy the services reach their backend only through it.
    """
    endpoint = replace(stack.endpoint, endpoint_url=proxy_url or stack.endpoint.endpoint_url)
    api = start_api(endpoint, stack.outputs, ServiceOptions(logs_dir, allow_faults=True))
    services = [api]
    try:
        await asyncio.to_thread(api.wait)
        target = Target(stack.endpoint, stack.outputs, api.url)
        with listen_for_outcomes(target) as listener:
            async with httpx.AsyncClient(base_url=api.url, timeout=15, trust_env=False) as http:
                yield Board(target, endpoint, listener, http, logs_dir, services)
    finally:
        for service in services:  # a frozen process does not handle SIGTERM
            if service.process.running():
                service.process.popen.send_signal(signal.SIGCONT)
        stop_all([service.process for service in services], deadline_s=10)
