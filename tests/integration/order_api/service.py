"""order-api processes for tests, on a free port, reached over HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from support.waiting import eventually

ORDER: Mapping[str, Any] = {"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}]}


@dataclass
class ApiProcess:
    """A running order-api and its client."""

    process: subprocess.Popen[bytes]
    log_path: Path
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return str(self.http.base_url)

    async def place(self, order: Mapping[str, Any] = ORDER, *, key: str | None = None) -> httpx.Response:
        """POST /orders."""
        return await self.http.post("/orders", json=order, headers={} if key is None else {"Idempotency-Key": key})

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return the log lines of one event, or all."""
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        return [line for line in lines if event in (None, line["message"])]

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)


@asynccontextmanager
async def api_process(environment: Mapping[str, str], log_path: Path) -> AsyncIterator[ApiProcess]:
    """Run order-api with exactly these settings for the length of the block."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting one blocks for a moment only
            [sys.executable, "-m", "order_api"],
            env={**inherited, "ORDERBOARD_API_PORT": "0", **environment},
            stderr=log,
            start_new_session=True,
        )
    try:
        port = await eventually(lambda: _port(process, log_path), within_s=20)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=15, trust_env=False, limits=httpx.Limits(max_connections=200)
        ) as http:
            yield ApiProcess(process, log_path, http)
    finally:
        process.kill()
        process.wait(timeout=10)


def _port(process: "subprocess.Popen[bytes]", log_path: Path) -> int:
    assert process.poll() is None, log_path.read_text()
    for line in log_path.read_text().splitlines():
        if line.endswith("}") and (event := json.loads(line))["message"] == "api.listening":
            port: int = event["port"]
            return port
    raise AssertionError("not listening yet")
