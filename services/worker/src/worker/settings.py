"""The worker's settings. The AWS SDK reads endpoint, region and credentials itself."""

import os
import socket
from typing import Annotated, Self

from orderboard_contracts.menu import MENU
from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _default_worker_id() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"


class Settings(BaseSettings):
    """Settings from the environment, prefix ORDERBOARD_. `orderboard up` and the stack's outputs give the names."""

    model_config = SettingsConfigDict(env_prefix="ORDERBOARD_", frozen=True, extra="ignore", populate_by_name=True)

    work_queue: str = Field(min_length=1, description="Name of the queue of normal orders.")
    express_queue: str = Field(min_length=1, description="Name of the queue of express orders and cancellations.")
    bus_name: str = Field(min_length=1, description="Name of the event bus.")
    orders_table: str = Field(min_length=1, description="Name of the orders table.")
    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: int = Field(default=0, ge=0, le=65535, description="0 picks a free port.")
    worker_concurrency: int = Field(default=128, ge=1, le=1000, description="Orders handled at once.")
    worker_id: str = Field(default_factory=_default_worker_id, min_length=1)
    preparation_ms: int = Field(default=0, ge=0, le=3_600_000, description="Preparation time of every order.")
    sold_out: Annotated[frozenset[str], NoDecode] = Field(default=frozenset(), description="Comma-separated SKUs.")
    work_visibility_timeout_s: int = Field(default=30, ge=1, le=43_200)
    heartbeat_interval_s: float | None = Field(default=None, gt=0, description="Default: a third of the timeout.")
    receive_wait_s: int = Field(
        default=2,
        ge=1,
        le=20,
        description="Longest wait of a poll for a first message. A stopping worker waits as long for polls under way.",
    )
    polls_per_queue: int = Field(default=3, ge=1, le=20, description="Concurrent receives during a backlog.")
    drain_deadline_s: float = Field(default=20, gt=0)
    allow_faults: bool = False

    @field_validator("sold_out", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
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
                "heartbeat lets a second worker receive the message"
            )
        return self

    @property
    def heartbeat_s(self) -> float:
        """Interval at which leases are extended."""
        return self.heartbeat_interval_s or self.work_visibility_timeout_s / 3
