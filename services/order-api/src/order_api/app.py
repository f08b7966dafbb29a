"""The app factory: boundary, routes, error handlers and lifespan. The lifespan opens the connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from orderboard_contracts.tracing import Tracing
from starlette.types import Receive, Scope, Send

from order_api import docs, health, menu, orders
from order_api import metrics as metrics_module
from order_api.aws import open_aws_clients
from order_api.boundary import Boundary
from order_api.dependencies import OpenClients, open_dependencies
from order_api.error_handlers import add_error_handlers
from order_api.metrics import Metrics
from order_api.openapi import describe
from order_api.order_intake import OrderIntake
from order_api.settings import Settings


class OrderApi(FastAPI):
    """FastAPI within a boundary of ours, with an OpenAPI document of ours and a short way for orders."""

    def __init__(self, settings: Settings, metrics: Metrics, tracing: Tracing | None, **options: Any) -> None:
        self.settings = settings
        super().__init__(**options)
        for module in (orders, menu, health, metrics_module, docs):
            # Not include_router: a flat list is matched in one pass, and error_handlers.py reads the methods from it.
            self.router.routes.extend(module.router.routes)
        add_error_handlers(self)
        self._boundary = Boundary(OrderIntake(super().__call__, self), settings, metrics, tracing)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; the server calls this."""
        if scope["type"] == "http":
            await self._boundary(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which is built once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(self, self.settings)
        return self.openapi_schema


def create_app(
    settings: Settings, *, open_clients: OpenClients = open_aws_clients, tracing: Tracing | None = None
) -> FastAPI:
    """Create the API. Tests pass other clients."""
    instruments = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_dependencies(settings, open_clients, instruments, tracing) as dependencies:
            app.state.dependencies = dependencies
            yield

    app = OrderApi(
        settings,
        instruments,
        tracing,
        title="Order Board order-api",
        version=version("orderboard-order-api"),
        lifespan=lifespan,
        openapi_url=None,  # docs.py serves both
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.metrics = instruments
    return app
