"""The app factory: routes, middlewares, failures and lifespan put together. The lifespan opens the connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from order_api import docs, health, menu, metrics, orders
from order_api.aws import open_clients as open_aws_clients
from order_api.bearer import BearerGate
from order_api.body_limit import BodyLimit
from order_api.boundary import Boundary
from order_api.failures import register_failures
from order_api.metrics import Measured, Metrics
from order_api.openapi import describe
from order_api.services import OpenClients, open_services
from order_api.settings import Settings


class OrderApi(FastAPI):
    """FastAPI with our description of itself."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self.settings = settings
        super().__init__(**options)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(self, self.settings)
        return self.openapi_schema


def create_app(settings: Settings, *, open_clients: OpenClients = open_aws_clients) -> FastAPI:
    """The API by these settings. Tests give their own clients."""
    instruments = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, open_clients, instruments) as services:
            app.state.services = services
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
        # Not include_router: one flat list is one pass to match, and failures.py reads an address's methods from it.
        app.router.routes.extend(module.router.routes)
    register_failures(app)
    # The last one added is the first one to see a request.
    app.add_middleware(BodyLimit, max_bytes=settings.api_max_body_bytes, deadline_s=settings.api_body_deadline_s)
    if settings.api_token is not None:
        app.add_middleware(BearerGate, token=settings.api_token.get_secret_value())
    app.add_middleware(Boundary)
    app.add_middleware(Measured, metrics=instruments)
    return app
