"""Every action of every service and the developer API with one odd member, and requests that are odd as a whole.

The answer is a success, an error of the caller, or NotImplemented; it refuses what the service model refuses; it shows
nothing of the engine's inside; nothing is logged as a failure; and the engine answers the next request.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Collection
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from fuzz import developer_api, examples
from fuzz.constraints import broken
from fuzz.remnants import fault_of
from fuzz.standard_error import StandardError
from fuzz.state import shown_state
from fuzz.variations import odd, places, replaced
from fuzz.wire import SQS_BY_QUERY, model, request_of, shown
from fuzz.world import World
from localbus.clock import ManualClock
from localbus.cloudformation.api import ACTIONS as CLOUDFORMATION
from localbus.dynamodb.api import ACTIONS as DYNAMODB
from localbus.engine import Engine, Options
from localbus.events.api import ACTIONS as EVENTS
from localbus.http.message import Request, Response
from localbus.lambda_.api import ACTIONS as LAMBDA
from localbus.sns.api import ACTIONS as SNS
from localbus.sqs.api import ACTIONS as SQS
from support.fake_lambda import FakeLambda

SERVICES: dict[str, Collection[str]] = {
    "sqs": SQS, SQS_BY_QUERY: SQS, "sns": SNS, "events": EVENTS, "lambda": LAMBDA, "cloudformation": CLOUDFORMATION,
    "dynamodb": DYNAMODB,
}  # fmt: skip
DEVELOPER_API = "developer API"
_ENDING = (
    *("Delete", "Purge", "Remove", "Unsubscribe", "Untag", "CancelReplay", "Deauthorize"),
    *("ExecuteChangeSet", "CreateStack", "UpdateStack"),
    *("CreateTable", "RestoreTable", "UpdateTable", "UpdateTimeToLive"),
)
_WORLD_LASTS = 200
_COMPARED = 0.5  # of the requests, with what is there before and after


class Case(NamedTuple):
    """A request. `refused_for` is what the service model has against it."""

    request: Request
    about: str
    ends_something: bool = False
    refused_for: str | None = None


def run(seed: int, count: int) -> list[str]:
    """Send `count` random requests. Return each fault with the request that repeats it."""
    with StandardError() as errors:
        return asyncio.run(_run(random.Random(seed), count, errors))


async def _run(rng: random.Random, count: int, errors: StandardError) -> list[str]:
    faults: list[str] = []
    async with _worlds() as worlds:
        for _ in range(count):
            service = rng.choice([*SERVICES, DEVELOPER_API])
            world = await worlds.of(service)
            case = case_of(world, service, rng)
            before = (
                await shown_state(world, _model_of(service))
                if service in SERVICES and rng.random() < _COMPARED
                else None
            )
            fault, response = await _outcome(world, case, errors)
            if before is not None and fault is None and response is not None and response.status >= 400:
                after = await shown_state(world, _model_of(service))
                fault = None if after == before else f"refused, yet it changed {_difference(before, after)}"
            if fault:
                faults.append(f"{case.about}\n  {fault}\n  {shown(case.request)}")
            if fault or (case.ends_something and response is not None and response.status < 300):
                await worlds.end(service)
    return faults


class _Worlds:
    """The world of all services, and one with an upstream for Lambda."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._worlds: dict[str | None, World] = {}

    async def of(self, service: str) -> World:
        """Return a world in which the service has everything; it lasts for some requests."""
        upstream = self._upstream if service == "lambda" else None
        if upstream in self._worlds and self._worlds[upstream].requests > _WORLD_LASTS:
            await self.end(service)
        if upstream not in self._worlds:
            self._worlds[upstream] = world = World(upstream)
            await world.prepare()
        return self._worlds[upstream]

    async def end(self, service: str) -> None:
        """End the world of a service."""
        world = self._worlds.pop(self._upstream if service == "lambda" else None, None)
        if world is not None:
            await world.stop()

    async def stop(self) -> None:
        """End all worlds."""
        for world in self._worlds.values():
            await world.stop()


class _Upstream(FakeLambda):
    """Functions, and queues and topics for what localbus bridges."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = Engine(Options(), ManualClock())

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer as Lambda, as Secrets Manager, or as the other services."""
        if request.header(b"x-amz-target").startswith("secretsmanager."):
            return Response(200, [], json.dumps({"ARN": examples.arn("secretsmanager", "secret:s")}).encode())
        return super().handle(request) if request.path.startswith("/20") else self._engine.router.handle(request)


@asynccontextmanager
async def _worlds() -> AsyncIterator[_Worlds]:
    upstream = _Upstream()
    worlds = _Worlds(await upstream.start())
    try:
        yield worlds
    finally:
        await worlds.stop()
        await upstream.stop()
    await asyncio.sleep(0.01)  # until the last sockets are closed


async def _outcome(world: World, case: Case, errors: StandardError) -> tuple[str | None, Response | None]:
    try:
        response = await world.answer(case.request)
    except Exception as exc:  # noqa: BLE001 (the fault that is looked for)
        return f"no answer: {exc!r}", None
    fault = errors.taken() or fault_of(case.request, response)
    if fault is None and case.refused_for and response.status < 300:
        fault = f"accepted, though {case.refused_for}: {str(response.body)[:200]}"
    return fault, response


def _difference(before: bytes, after: bytes) -> str:
    at = next(
        (at for at, (one, two) in enumerate(zip(before, after, strict=False)) if one != two),
        min(len(before), len(after)),
    )
    return f"{before[max(0, at - 100) : at + 100]!r} to {after[max(0, at - 100) : at + 100]!r}"


def case_of(world: World, service: str, rng: random.Random) -> Case:
    """Return a random request."""
    if service == DEVELOPER_API:
        return Case(*developer_api.request(rng), ends_something=True)
    action = rng.choice(list(SERVICES[service]))
    name = _model_of(service)
    shape = model(name).operation_model(action).input_shape
    params = rng.choice(inputs(name, action))
    found = list(places(shape, params))
    if not found or rng.random() < 0.1:
        request = request_of(service, action, world.filled(params))
        return Case(_odd_as_a_whole(request, rng), f"{service} {action} odd as a whole")
    place = rng.choice(found)
    value = odd(place, rng)
    changed = world.filled(replaced(params, place.path, value))
    where = ".".join("(text)" if step is examples.Embedded else str(step) for step in place.path)
    typed = service not in {SQS_BY_QUERY, "sns", "cloudformation"}
    # a queue's URL may be in the path, and Query requests cannot hold empty lists
    refused = None if _is_lenient(service, place.path, value) else broken(shape, changed, name, typed=typed)
    about = f"{service} {action} {where} = {str(value)[:80]!r}"
    return Case(request_of(service, action, changed), about, action.startswith(_ENDING), refused)


def _is_lenient(service: str, path: tuple[Any, ...], value: Any) -> bool:
    return examples.Embedded in path or (service not in {"events", "dynamodb"} and value in ([], {}, ""))


def inputs(service: str, action: str) -> list[dict[str, Any]]:
    """Return the valid inputs of an action."""
    shape = model(service).operation_model(action).input_shape
    common = {
        name: value for name, value in examples.MEMBERS[service].items() if shape is not None and name in shape.members
    }
    common |= examples.ACTIONS[service].get(action, {})
    others = examples.ALTERNATIVES.get(service, {}).get(action, [])
    return [{name: item for name, item in (common | one).items() if item is not None} for one in ({}, *others)]


async def refused_examples() -> set[str]:
    """Return the actions whose valid requests are refused."""
    refused: set[str] = set()
    async with _worlds() as worlds:
        for service, actions in SERVICES.items():
            for action, params in [(name, one) for name in actions for one in inputs(_model_of(service), name)]:
                world = await worlds.of(service)
                response = await world.answer(request_of(service, action, world.filled(params)))
                refused |= {action} if response.status >= 300 else set()
                if action.startswith(_ENDING):
                    await worlds.end(service)
            await worlds.end(service)
    return refused


def _model_of(service: str) -> str:
    return "sqs" if service == SQS_BY_QUERY else service


def _odd_as_a_whole(request: Request, rng: random.Random) -> Request:
    """Return a request with a cut body, or with an odd target, content type, signature or path."""
    headers, body, target = dict(request.headers), request.body, request.target
    texts = [b"", b"x", b"\xff\xfe", b"a.b.c", b"AmazonSQS.", b"AmazonSQS.Nonsense", b"AWSEvents.PutEvents ", b"." * 50]
    match rng.randrange(8):
        case 0:
            body = body[: rng.randrange(len(body) + 1)]
        case 1:
            body = rng.choice(
                [b"", b"null", b"[]", b"5", b'"x"', b"NaN", b"\xff\xfe", b"{" * 9999, body + b"}", body * 2]
            )
        case 2:
            headers[b"x-amz-target"] = rng.choice(texts)
        case 3:
            kinds = [b"", b"text/plain", b"application/x-www-form-urlencoded; charset=x", b"application/json", b"\xff"]
            headers[b"content-type"] = rng.choice(kinds)
        case 4:
            headers[b"authorization"] = rng.choice(
                [b"", b"x", headers[b"authorization"][:-20], b"Credential=a/1/b/c/aws4_request"]
            )
        case 5:
            target = rng.choice(
                [f"/{examples.ACCOUNT}/q", "/000000000000/%ff", "/x?Action=ListQueues&Action=", "/?%zz=%", "//", "/*"]
            )
        case 6:
            at = rng.randrange(len(body) + 1)
            body = body[:at] + rng.choice([b"\x00", b"&", b"=", b"%", b'"', b"\xf0", b".1.", b"NaN"]) + body[at:]
        case _:
            headers[b"accept"] = rng.choice([b"application/json", b"text/html", b"\xff"])
    return Request(request.method, target, headers, [], body)
