"""The routes under /orders. Placing and cancelling publish a command; reading queries DynamoDB."""

import logging
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from orderboard_contracts.events import Command
from orderboard_contracts.identity import OrderId, new_order_id, order_id_for
from orderboard_contracts.order import CustomerId, OrderRequest, digest
from pydantic import BaseModel

from order_api import problem
from order_api.cursor import CURSOR_PATTERN, MAX_CURSOR_CHARACTERS, decode_cursor, encode_cursor
from order_api.dependencies import Dependencies, dependencies
from order_api.json_body import StrictJsonRoute
from order_api.openapi import command_responses, problem_responses
from order_api.placement import CancellationRequest, cancellation_requested, order_placed
from order_api.problem import ProblemError, field_error
from order_api.publisher import Publisher
from order_api.responses import EXAMPLE_ID, CancellationAccepted, OrderAccepted, OrderPage, OrderView, accepted_json
from order_api.trace import current_trace

log = logging.getLogger(__name__)
router = APIRouter(tags=["orders"], route_class=StrictJsonRoute)

_ORDERS: Final[dict[str, Any]] = {
    "usual": {
        "summary": "Two coffees",
        "value": {"customer_id": "ada", "lines": [{"sku": "flat-white", "quantity": 2}]},
    },
    "express": {
        "summary": "In a hurry, with a note",
        "value": {
            "customer_id": "grace",
            "priority": "express",
            "lines": [{"sku": "espresso", "quantity": 1}, {"sku": "croissant", "quantity": 1}],
            "note": "oat milk, please",
        },
    },
    "large": {
        "summary": "Large enough for an alert",
        "value": {"customer_id": "edsger", "lines": [{"sku": "catering-box", "quantity": 2}]},
    },
}
KEY_PATTERN: Final = r"^[\x21-\x7e]{1,255}$"
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        min_length=1,
        max_length=255,
        description="1 to 255 visible ASCII characters. Requests with the same key are one order; without a key, every "
        "request is a new order.",
        examples=["8f14e45f-ceea-4a7b-9c3d-2f1b6d7e8a90"],
    ),
]
OrderIdInPath = Annotated[OrderId, Path(description="The order's id.", examples=[EXAMPLE_ID])]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR_CHARACTERS, pattern=CURSOR_PATTERN, description="next_cursor of the previous page."),
]


@router.post(
    "/orders",
    status_code=202,
    response_model=OrderAccepted,
    responses=command_responses(
        problem.MALFORMED_JSON,
        problem.UNSUPPORTED_MEDIA_TYPE,
        problem.INVALID_REQUEST,
        problem.KEY_REUSED,
        problem.NOT_PUBLISHED,
    ),
    summary="Place an order",
)
async def place_order(
    request: Request,
    order: Annotated[OrderRequest, Body(openapi_examples=_ORDERS)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Accept an order: 202 once SNS and EventBridge have it. After a 503, send it again with the same key."""
    return await place(order, idempotency_key, dependencies(request))


async def place(order: OrderRequest, idempotency_key: str | None, shared: Dependencies) -> Response:
    """Publish an order and return the response to it; raise ProblemError or NotPublishedError."""
    if "fault" in order.model_fields_set and not shared.settings.allow_faults:
        error = field_error("body", "/fault", "faults are not allowed here; remove it")
        raise ProblemError(problem.INVALID_REQUEST, "1 error; see errors.", errors=[error])
    order_digest = digest(order)
    if idempotency_key is None:
        order_id = new_order_id()
    else:
        order_id = order_id_for(idempotency_key)
        if not shared.idempotency.claim(idempotency_key, order_digest):
            raise ProblemError(problem.KEY_REUSED)
    command = order_placed(
        order, order_id=order_id, digest=order_digest, at=datetime.now(UTC), trace=current_trace.get()
    )
    await _publish(shared.publisher, command, "order.accepted")
    return _accepted(accepted_json(command.data), order_id)


@router.post(
    "/orders/{order_id}/cancellation",
    status_code=202,
    response_model=CancellationAccepted,
    responses=command_responses(
        problem.MALFORMED_JSON, problem.UNSUPPORTED_MEDIA_TYPE, problem.INVALID_REQUEST, problem.NOT_PUBLISHED
    ),
    summary="Cancel an order",
)
async def cancel_order(
    request: Request, order_id: OrderIdInPath, cancellation: CancellationRequest | None = None
) -> Response:
    """Request cancellation. May arrive before the order is recorded or after it is final. Idempotent."""
    command = cancellation_requested(
        order_id,
        reason=None if cancellation is None else cancellation.reason,
        at=datetime.now(UTC),
        trace=current_trace.get(),
    )
    await _publish(dependencies(request).publisher, command, "cancellation.accepted")
    return _accepted(CancellationAccepted.of(order_id).model_dump_json().encode(), order_id)


@router.get(
    "/orders/{order_id}",
    response_model=OrderView,
    responses=problem_responses(problem.NOT_RECORDED, problem.INVALID_REQUEST, problem.LOOKUP_UNAVAILABLE),
    summary="Show an order",
)
async def show_order(request: Request, order_id: OrderIdInPath) -> Response:
    """Return the order in its final state, or 404 until a worker has recorded it."""
    current_trace.get().order_id = order_id
    record = await dependencies(request).queries.find(order_id)
    if record is None:
        raise ProblemError(problem.NOT_RECORDED)
    return _found(OrderView.of(record))


@router.get(
    "/orders",
    response_model=OrderPage,
    responses=problem_responses(problem.BAD_CURSOR, problem.INVALID_REQUEST, problem.LOOKUP_UNAVAILABLE),
    summary="List a customer's orders",
)
async def list_orders(
    request: Request,
    customer_id: Annotated[CustomerId, Query(description="The customer.", examples=["ada"])],
    limit: Annotated[int, Query(ge=1, le=100, description="Orders per page.")] = 20,
    cursor: Cursor = None,
) -> Response:
    """List recorded orders, newest first. The index is eventually consistent."""
    after = None if cursor is None else decode_cursor(cursor, customer_id=customer_id)
    page = await dependencies(request).queries.of_customer(customer_id, limit=limit, after=after)
    return _found(
        OrderPage(
            orders=tuple(map(OrderView.of, page.records)),
            next_cursor=None if page.end is None else encode_cursor(page.end),
        )
    )


async def _publish(publisher: Publisher, command: Command, event: str) -> None:
    current_trace.get().order_id = command.subject
    published = await publisher.publish(command)
    ids = {"message_id": published.message_id, "bus_event_id": published.bus_event_id}
    log.info(event, extra={"order_id": command.subject, "event_id": command.id, **ids})


def _accepted(body: bytes, order_id: str) -> Response:
    return Response(body, 202, {"Location": f"/orders/{order_id}"}, "application/json")


def _found(body: BaseModel) -> Response:
    return Response(body.model_dump_json(exclude_none=True), media_type="application/json")
