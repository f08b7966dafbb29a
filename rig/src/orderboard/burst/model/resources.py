"""The price, the memory and the processor time of a burst, and its bottleneck."""

from typing import Literal

from pydantic import AliasChoices, Field

from orderboard.burst.model.base import Value


class Requests(Value):
    """Requests to one AWS operation by the services, and their price on AWS."""

    service: str
    operation: str
    requests: int
    entries: int = Field(description="Messages, events or items in them; some services charge by these.")
    usd: float | None = Field(description="None where the price list has no such operation.")
    price: str | None = Field(default=None, description="The price in words.")


class Cost(Value):
    """Requests to AWS during the burst, counted in order-api and the workers; the notifier's are an upper limit."""

    requests: tuple[Requests, ...]
    requests_per_1000_orders: float
    usd_per_1000_orders: float
    prices_as_of: str
    prices_source: str
    estimated: bool = Field(default=False, description="Not counted: an upper limit, by the number of orders.")


class ProcessMemory(Value):
    """The memory of a process at the end."""

    name: str
    megabytes: float


class ProcessorTime(Value):
    """Processor seconds from the start of the load to the end of the drain. The rig: this command and its generator."""

    system_s: float
    rig_s: float

    @property
    def rig_share(self) -> float:
        """The rig's share of both."""
        return self.rig_s / max(self.system_s + self.rig_s, 0.001)


class Bottleneck(Value):
    """The limit of the burst, and its rate as a share of the backend's ceiling."""

    by: Literal["load", "generator", "API", "worker", "backend", "machine", "unclear"]
    text: str = Field(description="The reason, in a sentence.")
    worked_off_per_s: float = Field(
        validation_alias=AliasChoices("worked_off_per_s", "finished_per_s"),
        description="Orders finished a second while there was a backlog, else over the whole burst.",
    )
    ceiling_per_s: float | None = Field(description="Orders a second, by calibration; None without one.")
    share: float | None = Field(description="worked_off_per_s of ceiling_per_s.")
    doubt: str | None = Field(default=None, description="Why share is missing or cannot be trusted; else None.")

    @property
    def name(self) -> str:
        """The bottleneck in a word or two."""
        return {"load": "none", "unclear": "unclear"}.get(self.by, f"the {self.by}")
