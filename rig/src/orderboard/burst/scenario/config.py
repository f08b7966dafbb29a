"""The configuration of a burst: what burst.toml says, key by key, and what the options add to it.

Values are texts of the options' forms; `streams` and `faults.planned` parse them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from orderboard_stack.backend import BackendName
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from orderboard.burst.scenario.defaults import DEFAULT_MIX, MAX_CLIENTS, MAX_GENERATORS, MAX_ORDERS, MAX_SCALE


def _listed(value: Any) -> Any:
    """Take a single value for a list of one."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in values)


def _as_text(value: Any) -> Any:
    """Take a table such as {express = 10} for `express=10`."""
    return ",".join(f"{name}={share}" for name, share in value.items()) if isinstance(value, Mapping) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", "-"))

    @field_validator("*", mode="before")
    @classmethod
    def _no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false for a number, for which pydantic takes them."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation is not bool:
            raise PydanticCustomError("boolean", "expected a value, not true or false")
        return value


class StreamConfig(_Config):
    """A stream of orders. Its load is one of: orders, duration and rate; stage; trace; clients."""

    name: str = Field(default="", pattern="^[a-z0-9][a-z0-9-]{0,39}$", description="For the report and thresholds.")
    start: str = Field(default="0s", description="When it begins, such as 10s.")
    orders: int | None = Field(default=None, ge=1, le=MAX_ORDERS, description="At most two of orders, duration, rate.")
    duration: str | None = Field(default=None, description="Length of the load, such as 40s or 2m.")
    rate: float | None = Field(default=None, description="Mean number of orders a second.")
    profile: str | None = Field(default=None, description="constant, ramp, spike, sawtooth or poisson, with settings.")
    stage: Texts = Field(
        default=(), description="TIME:RATE or TIME:RATE..RATE, one after the other; clients with a c: 30s:10c..50c."
    )
    trace: Path | None = Field(default=None, description="A file of send times, relative to this file.")
    clients: int | None = Field(
        default=None, ge=1, le=MAX_CLIENTS, description="Closed model: each sends the next order after an answer."
    )
    think: str | None = Field(default=None, description="Of a client, between an answer and the next order.")
    mix: Annotated[str, BeforeValidator(_as_text)] | None = Field(
        default=None, description=f"Percent of each kind, as text or as a table; by default {DEFAULT_MIX}."
    )
    own_orders: Path | None = Field(default=None, alias="from", description="A file of your own orders, a line each.")
    allow_refused: bool = Field(default=False, description="Refusals of your own orders are meant.")
    expect: Texts = Field(default=(), description="Thresholds for the orders of this stream.")


class BurstConfig(_Config):
    """A burst."""

    backend: BackendName | None = Field(default=None, description="embedded, ministack, localstack or aws.")
    scale: float = Field(default=1.0, gt=0, le=MAX_SCALE, description="Every rate, of every stream, times this.")
    seed: int = Field(default=1, description="The same seed gives the same orders, with the same ids and times.")
    connections: int = Field(default=512, ge=1, le=20_000, description="Most requests of open streams at once.")
    generators: int = Field(default=1, ge=1, le=MAX_GENERATORS, description="Processes that send the load together.")
    workers: Texts = Field(default=("1",), description="N, N@TIME, or auto:MIN-MAX,backlog-per-worker=N.")
    worker: Literal["container", "lambda"] = Field(default="container", description="Processes, or a Lambda function.")
    stop_worker: Texts = Field(default=(), description="FOR@TIME")
    freeze_worker: Texts = Field(default=(), description="FOR@TIME")
    kill_worker: Texts = Field(default=(), description="@TIME")
    kill_api: Texts = Field(default=(), description="@TIME")
    kill_backend: Texts = Field(default=(), description="@TIME")
    disorder: Texts = Field(default=(), description="SETTINGS[@TIME]")
    faults: Texts = Field(default=(), description="SETTINGS[@TIME]")
    full_disk: Texts = Field(default=(), description="FOR@TIME")
    give_up_after: str = Field(default="90s", description="End the drain after this long without any change.")
    expect: Texts = Field(default=(), description="Thresholds, such as accept_p99<50ms.")
    abort_on_fail: Texts = Field(default=(), description="Thresholds that stop the load once they are missed.")
    stream: tuple[StreamConfig, ...] = Field(default=(), max_length=50, description="None: the default load.")

    @property
    def streams(self) -> tuple[StreamConfig, ...]:
        """The streams, or the default one."""
        return self.stream or (StreamConfig(),)
