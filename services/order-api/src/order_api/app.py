"""The app factory: routes, middleware, error handlers and lifespan. The lifespan opens the connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from order_api import docs, health, menu, metrics, orders
from order_api.aws import open_aws_clients
from order_api.dependencies import OpenClients, open_dependencies
from order_api.error_handlers import add_error_handlers
from order_api.metrics import Metrics, MetricsMiddleware
from order_api.middleware import BodyLimit, BoundaryMiddleware, TokenMiddleware
from order_api.openapi import describe
from order_api.settings import Settings


class OrderApi(FastAPI):
    """FastAPI with an OpenAPI document of ours."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self.settings = settings
        super().__init__(**options)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which is built once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(self, self.settings)
        return self.openapi_schema


def create_app(settings: Settings, *, open_clients: OpenClients = open_aws_clients) -> FastAPI:
    """Create the API. Tests pass other clients."""
    instruments = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_dependencies(settings, open_clients, instruments) as dependencies:
            app.state.dependencies = dependencies
            yield

    app = OrderApi(
        settings,
        title="Order Board order-api",
        version=version("orderboard-order-api"),
        lifespan=lifespan,
        openapi_url=None,  # docs.py serves both
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.metrics = instruments
    for module in (orders, menu, health, metrics, docs):
        # Not include_router: a flat list is matched in one pass, and error_handlers.py reads a path's methods from it.
        app.router.routes.extend(module.router.routes)
    add_error_handlers(app)
    # The middleware that is added last sees a request first.
    app.add_middleware(BodyLimit, max_bytes=settings.api_max_body_bytes, deadline_s=settings.api_body_deadline_s)
    if settings.api_token is not None:
        app.add_middleware(TokenMiddleware, token=settings.api_token.get_secret_value())
    app.add_middleware(BoundaryMiddleware)
    app.add_middleware(MetricsMiddleware, metrics=instruments)
    return app
