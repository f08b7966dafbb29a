"""The routes under /orders. Placing and cancelling publish; reading is DynamoDB's business alone."""

import logging
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response
from orderboard_contracts.identity import OrderId, new_order_id, order_id_for
from orderboard_contracts.order import CustomerId, OrderRequest, digest
from pydantic import BaseModel

from order_api import problem
from order_api.answers import CancellationAccepted, OrderAccepted, OrderPage, OrderView
from order_api.cursor import CURSOR_PATTERN, MAX_CURSOR_CHARACTERS, decode_cursor, encode_cursor
from order_api.json_body import StrictJsonRoute
from order_api.openapi import command_responses, problem_responses
from order_api.placement import CancellationRequest, cancellation_requested, order_placed
from order_api.problem import ProblemError, field_error
from order_api.services import services_of
from order_api.trace import current_trace

log = logging.getLogger(__name__)
router = APIRouter(tags=["orders"], route_class=StrictJsonRoute)

_ID: Final = "1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11"
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
        "summary": "Large enough to be announced",
        "value": {"customer_id": "edsger", "lines": [{"sku": "catering-box", "quantity": 2}]},
    },
}
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        min_length=1,
        max_length=255,
        description="1 to 255 visible ASCII characters. The same key stands for the same order, however often it is "
        "sent; without one, every request is a new order.",
        examples=["8f14e45f-ceea-4a7b-9c3d-2f1b6d7e8a90"],
    ),
]
OrderIdInPath = Annotated[OrderId, Path(description="The order's id.", examples=[_ID])]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR_CHARACTERS, pattern=CURSOR_PATTERN, description="next_cursor of the page before."),
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
    """Answers 202 when SNS and EventBridge both have the order. After a 503, send it again with the same key."""
    services = services_of(request)
    if order.fault is not None and not services.settings.allow_faults:
        refused = field_error("body", "/fault", "faults are not allowed here; leave it out")
        raise ProblemError(problem.INVALID_REQUEST, "1 error; see errors.", errors=[refused])
    order_digest = digest(order)
    if idempotency_key is None:
        order_id = new_order_id()
    else:
        order_id = order_id_for(idempotency_key)
        if not services.keys.bind(idempotency_key, order_digest):
            raise ProblemError(problem.KEY_REUSED, problem.KEY_REUSED.meaning)
    command = order_placed(
        order, order_id=order_id, digest=order_digest, at=datetime.now(UTC), trace=current_trace.get()
    )
    published = await services.publisher.publish(command)
    log.info(
        "order.accepted",
        extra={
            "order_id": order_id,
            "event_id": command.id,
            "message_id": published.message_id,
            "bus_event_id": published.bus_event_id,
        },
    )
    return _accepted(OrderAccepted.of(command.data), order_id)


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
    """Asks that the order be not made. It may come before the order does; it may come too late. Asking twice is asking
    once.
    """
    command = cancellation_requested(
        order_id,
        reason=None if cancellation is None else cancellation.reason,
        at=datetime.now(UTC),
        trace=current_trace.get(),
    )
    published = await services_of(request).publisher.publish(command)
    log.info(
        "cancellation.accepted",
        extra={
            "order_id": order_id,
            "event_id": command.id,
            "message_id": published.message_id,
            "bus_event_id": published.bus_event_id,
        },
    )
    return _accepted(CancellationAccepted.of(order_id), order_id)


@router.get(
    "/orders/{order_id}",
    response_model=OrderView,
    responses=problem_responses(problem.NOT_RECORDED, problem.INVALID_REQUEST, problem.LOOKUP_UNAVAILABLE),
    summary="Look at an order",
)
async def show_order(request: Request, order_id: OrderIdInPath) -> Response:
    """The order in its final state. Until a worker has recorded it the answer is 404."""
    record = await services_of(request).lookup.find(order_id)
    if record is None:
        raise ProblemError(problem.NOT_RECORDED, problem.NOT_RECORDED.meaning)
    return _found(OrderView.of(record))


@router.get(
    "/orders",
    response_model=OrderPage,
    responses=problem_responses(problem.BAD_CURSOR, problem.INVALID_REQUEST, problem.LOOKUP_UNAVAILABLE),
    summary="Look at a customer's orders",
)
async def list_orders(
    request: Request,
    customer_id: Annotated[CustomerId, Query(description="Whose orders.", examples=["ada"])],
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
    cursor: Cursor = None,
) -> Response:
    """Recorded orders, the newest first. The index behind it lags a moment."""
    after = None if cursor is None else decode_cursor(cursor, customer_id=customer_id)
    page = await services_of(request).lookup.of_customer(customer_id, limit=limit, after=after)
    return _found(
        OrderPage(
            orders=tuple(map(OrderView.of, page.records)),
            next_cursor=None if page.end is None else encode_cursor(page.end),
        )
    )


def _accepted(answer: BaseModel, order_id: str) -> Response:
    return Response(answer.model_dump_json(), 202, {"Location": f"/orders/{order_id}"}, "application/json")


def _found(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")
