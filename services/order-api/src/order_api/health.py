"""Whether the service lives (/healthz) and whether it can accept orders (/readyz, which names what it waits for)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from order_api.aws import AWS_ERRORS, Clients, reason
from order_api.openapi import problem_responses
from order_api.problem import NOT_READY, ProblemError, field_error
from order_api.settings import Settings

PROBE_DEADLINE_S: Final = 1.5
NEEDED: Final = ("sns", "events")  # without these no order is accepted; without dynamodb only reading suffers

router = APIRouter(tags=["service"])


class Health(BaseModel):
    """The process runs and answers."""

    status: Literal["ok"] = "ok"


class ReadinessReport(BaseModel):
    """Orders can be accepted."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ready", "degraded"] = Field(description="degraded: orders are accepted but cannot be read.")
    checks: dict[str, str] = Field(
        description="`ok` or what is wrong, by service.", examples=[{"sns": "ok", "events": "ok", "dynamodb": "ok"}]
    )


class Readiness:
    """Asks each service whether our topic, bus and table are there, all at once and within a deadline.

    Who asks while a check is under way shares it. Anybody may ask, without a token too, and however many do must not
    take the connections that orders need.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._probes: Mapping[str, Callable[[], Awaitable[object]]] = {
            "sns": lambda: clients.sns.get_topic_attributes(TopicArn=settings.orders_topic_arn),
            "events": lambda: clients.events.describe_event_bus(Name=settings.bus_name),
            "dynamodb": lambda: clients.dynamodb.describe_table(TableName=settings.orders_table),
        }
        self._under_way: asyncio.Task[dict[str, str]] | None = None

    async def check(self) -> dict[str, str]:
        """`ok`, or what is wrong, by service."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._ask())
        return await asyncio.shield(self._under_way)

    async def _ask(self) -> dict[str, str]:
        results = await asyncio.gather(*(_result(probe) for probe in self._probes.values()))
        return dict(zip(self._probes, results, strict=True))


async def _result(probe: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(PROBE_DEADLINE_S):
            await probe()
    except TimeoutError:
        return f"no answer within {PROBE_DEADLINE_S:g} s"
    except AWS_ERRORS as exc:
        return reason(exc)
    return "ok"


@router.get("/healthz", response_model=Health, summary="Does the process live?")
async def healthz() -> Response:
    """Answers as long as the process does; looks at nothing else."""
    return Response(Health().model_dump_json(), media_type="application/json")


@router.get(
    "/readyz",
    response_model=ReadinessReport,
    responses=problem_responses(NOT_READY),
    summary="Can orders be accepted?",
)
async def readyz(request: Request) -> Response:
    """Asks SNS, EventBridge and DynamoDB; without the first two no order can be accepted."""
    readiness: Readiness = request.app.state.services.readiness
    checks = await readiness.check()
    if any(checks[name] != "ok" for name in NEEDED):
        raise ProblemError(
            NOT_READY,
            "Not ready: " + ", ".join(name for name, result in checks.items() if result != "ok") + ".",
            errors=[field_error("dependency", name, result) for name, result in checks.items() if result != "ok"],
        )
    report = ReadinessReport(status="ready" if set(checks.values()) == {"ok"} else "degraded", checks=checks)
    return Response(report.model_dump_json(), media_type="application/json")
