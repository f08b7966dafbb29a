"""/healthz, whether the process runs, and /readyz, whether orders can be accepted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from orderboard_aws_client.errors import AWS_ERRORS, summary
from pydantic import BaseModel, ConfigDict, Field

from order_api.aws import Clients
from order_api.openapi import problem_responses
from order_api.problem import NOT_READY, ProblemError, field_error
from order_api.settings import Settings

PROBE_DEADLINE_S: Final = 1.5
REQUIRED: Final = ("sns", "events")  # without these no order is accepted; without dynamodb only reading fails

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """The process is running."""

    status: Literal["ok"] = "ok"


class ReadinessReport(BaseModel):
    """Orders can be accepted."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ready", "degraded"] = Field(description="degraded: orders are accepted but cannot be read.")
    checks: dict[str, str] = Field(
        description="`ok` or the problem, by service.", examples=[{"sns": "ok", "events": "ok", "dynamodb": "ok"}]
    )


class Readiness:
    """Checks topic, bus and table concurrently, within a deadline.

    Concurrent requests share one check: the endpoint needs no token, and any number of requests must not take the
    connections that orders need.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._probes: Mapping[str, Callable[[], Awaitable[object]]] = {
            "sns": lambda: clients.sns.get_topic_attributes(TopicArn=settings.orders_topic_arn),
            "events": lambda: clients.events.describe_event_bus(Name=settings.bus_name),
            "dynamodb": lambda: clients.dynamodb.describe_table(TableName=settings.orders_table),
        }
        self._under_way: asyncio.Task[dict[str, str]] | None = None

    async def check(self) -> dict[str, str]:
        """Return `ok` or the problem, by service."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._run_probes())
        return await asyncio.shield(self._under_way)

    async def _run_probes(self) -> dict[str, str]:
        results = await asyncio.gather(*(_result(probe) for probe in self._probes.values()))
        return dict(zip(self._probes, results, strict=True))


async def _result(probe: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(PROBE_DEADLINE_S):
            await probe()
    except TimeoutError:
        return f"no response within {PROBE_DEADLINE_S:g} s"
    except AWS_ERRORS as exc:
        return summary(exc)
    return "ok"


@router.get("/healthz", response_model=Health, summary="Check that the process is running")
async def healthz() -> Response:
    """Return 200 as long as the process runs. Nothing else is checked."""
    return Response(Health().model_dump_json(), media_type="application/json")


@router.get(
    "/readyz",
    response_model=ReadinessReport,
    responses=problem_responses(NOT_READY),
    summary="Check that orders can be accepted",
)
async def readyz(request: Request) -> Response:
    """Check SNS, EventBridge and DynamoDB; without the first two no order can be accepted."""
    readiness: Readiness = request.app.state.dependencies.readiness
    checks = await readiness.check()
    failed = {name: result for name, result in checks.items() if result != "ok"}
    if failed.keys() & set(REQUIRED):
        errors = [field_error("dependency", name, result) for name, result in failed.items()]
        raise ProblemError(NOT_READY, f"Not ready: {', '.join(failed)}.", errors=errors)
    report = ReadinessReport(status="degraded" if failed else "ready", checks=checks)
    return Response(report.model_dump_json(), media_type="application/json")
