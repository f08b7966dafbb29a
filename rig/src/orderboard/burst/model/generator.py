"""The generator's own delays."""

from collections.abc import Sequence

from pydantic import Field

from orderboard.burst.model.base import Value


class OneGenerator(Value):
    """One of the generators between which a load is split."""

    number: int
    machine: str = Field(default="", description="The machine that it joined from; empty for this one.")
    orders: int
    sent: int
    late: int = Field(description="Sent more than late_after_ms after the intended time.")
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    waited_for_connection: int
    achieved_rate: float
    cores: float | None = Field(default=None, description="Its processor seconds a second of the load.")
    clock_error_ms: float | None = Field(
        default=None, description="The most by which its clock may be off, for end to end; None for the same clock."
    )
    ended: str = Field(default="", description="The reason why it ended before it was done; empty without one.")


class GeneratorStats(Value):
    """The generator's delays. What is late here is not the system's fault, unless it waited for a connection."""

    orders: int
    sent: int
    not_sent: int = Field(description="Never sent: the burst was broken off.")
    late: int = Field(description="Sent more than late_after_ms after the intended time.")
    late_after_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float
    waited_for_connection: int = Field(description="Late because the system kept every connection busy.")
    connections: int
    intended_rate: float = Field(description="Orders a second over the load.")
    achieved_rate: float = Field(
        description="Sent a second over the load, or until the last was sent if that is earlier or later."
    )
    each: tuple[OneGenerator, ...] = Field(default=(), description="By generator; the other figures are of all.")

    @property
    def split(self) -> Sequence["OneGenerator | GeneratorStats"]:
        """Each generator: the load is what it should be only if none of them was late."""
        return self.each or (self,)

    @property
    def ended(self) -> Sequence[OneGenerator]:
        """The generators that ended before they were done, so that the load is not the one that was asked for."""
        return [one for one in self.each if one.ended]
