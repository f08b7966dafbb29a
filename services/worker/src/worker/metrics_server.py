"""The worker's HTTP server: /livez, whether it runs, /healthz, its health, /metrics, its Prometheus metrics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from worker.health import Health


class MetricsAddressError(Exception):
    """The metrics server cannot listen on the configured address."""


@asynccontextmanager
async def metrics_server(
    host: str, port: int, *, worker_id: str, health: Health, registry: CollectorRegistry
) -> AsyncIterator[str]:
    """Serve while the context is entered; yield the base URL. Port 0 picks a free port.

    /livez is for a supervisor: one that asked /healthz would replace workers because of an outage of AWS.
    """

    async def livez(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def healthz(_: web.Request) -> web.Response:
        problems = dict(health.problems)
        body = {"status": "unavailable" if problems else "ok", "worker_id": worker_id, "problems": problems}
        return web.json_response(body, status=503 if problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/healthz", healthz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as exc:
            raise MetricsAddressError(
                f"cannot listen on {host}:{port}: {exc.strerror}; "
                "choose another --metrics-port (0 picks a free one) or ORDERBOARD_WORKER_METRICS_HOST"
            ) from exc
        bound_host, bound_port = runner.addresses[0][:2]
        yield f"http://{bound_host}:{bound_port}"
    finally:
        await runner.cleanup()
