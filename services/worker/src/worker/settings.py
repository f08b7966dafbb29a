"""Everything the worker can be told, checked as a whole at start. Endpoint, region and credentials are botocore's."""

import os
import socket
from typing import Annotated, Self

from orderboard_contracts.menu import MENU
from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _default_worker_id() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class Settings(BaseSettings):
    """From the environment, prefix ORDERBOARD_. `orderboard up` and the stack's outputs give the names."""

    model_config = SettingsConfigDict(env_prefix="ORDERBOARD_", frozen=True, extra="ignore", populate_by_name=True)

    work_queue: str = Field(min_length=1, description="Name of the queue of normal orders.")
    express_queue: str = Field(min_length=1, description="Name of the queue of express orders and cancellations.")
    bus_name: str = Field(min_length=1, description="Name of the event bus.")
    orders_table: str = Field(min_length=1, description="Name of the orders table.")
    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: int = Field(default=0, ge=0, le=65535, description="0 takes a free port.")
    worker_concurrency: int = Field(default=128, ge=1, le=1000, description="Orders at work at once.")
    worker_id: str = Field(default_factory=_default_worker_id, min_length=1)
    preparation_ms: int = Field(default=0, ge=0, le=3_600_000, description="How long every order takes.")
    sold_out: Annotated[frozenset[str], NoDecode] = Field(default=frozenset(), description="Skus, by comma.")
    work_visibility_timeout_s: int = Field(default=30, ge=1, le=43_200)
    heartbeat_interval_s: float | None = Field(default=None, gt=0, description="A third of the timeout, unless given.")
    receive_wait_s: int = Field(
        default=2,
        ge=1,
        le=20,
        description="How long a poll waits for a first message. A stopping worker waits as long for polls under way.",
    )
    polls_per_queue: int = Field(default=3, ge=1, le=20, description="Receives under way at once, in a backlog.")
    drain_deadline_s: float = Field(default=20, gt=0)
    allow_faults: bool = False

    @field_validator("sold_out", mode="before")
    @classmethod
    def _by_comma(cls, value: object) -> object:
        return [sku.strip() for sku in value.split(",") if sku.strip()] if isinstance(value, str) else value

    @field_validator("sold_out")
    @classmethod
    def _on_the_menu(cls, skus: frozenset[str]) -> frozenset[str]:
        if unknown := sorted(skus - MENU.keys()):
            raise ValueError(f"not on the menu: {', '.join(unknown)}; choose from {', '.join(MENU)}")
        return skus

    @model_validator(mode="after")
    def _heartbeat_in_time(self) -> Self:
        if self.heartbeat_s >= self.work_visibility_timeout_s / 2:
            raise ValueError(
                f"ORDERBOARD_HEARTBEAT_INTERVAL_S is {self.heartbeat_s:g} s, but it must be less than half of "
                f"ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S, {self.work_visibility_timeout_s} s: otherwise one late "
                "heartbeat lets a second worker take the message"
            )
        return self

    @property
    def heartbeat_s(self) -> float:
        """How often what is in hand is kept from others."""
        return self.heartbeat_interval_s or self.work_visibility_timeout_s / 3
