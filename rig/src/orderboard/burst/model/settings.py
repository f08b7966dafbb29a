"""The settings of a burst, as it ran."""

from typing import Literal

from pydantic import Field

from orderboard.burst.model.base import Value


class StreamSettings(Value):
    """One stream of orders."""

    name: str
    load: str
    orders: int | None = Field(description="None if it depends on the answers.")
    mix: str


class Settings(Value):
    """The settings of the burst."""

    command: str = Field(description="The command line that repeats it.")
    backend: str
    profile: str
    orders: int
    duration_s: float
    rate: float = Field(description="The mean, over the duration.")
    mix: str
    seed: int
    workers: int = Field(description="At the start. A function counts as one.")
    worker: Literal["container", "lambda"] = Field(default="container", description="Processes, or a Lambda function.")
    connections: int
    generators: int = 1
    faults: tuple[str, ...]
    disorder: str | None = Field(default=None, description="The delivery faults of the queues.")
    closed: bool = Field(
        default=False, description="Clients wait for answers, so a slow system gets less load and queueing is not seen."
    )
    streams: tuple[StreamSettings, ...] = ()
    scaling: str | None = Field(default=None, description="The policy of workers that scale by themselves.")
    target: str | None = Field(default=None, description="The system, if it was not started for the burst.")
    scale: float = Field(default=1.0, description="Every rate of the plan was multiplied by this.")

    @property
    def workers_text(self) -> str:
        """The workers in words."""
        if self.worker == "lambda":
            return "a worker function"
        return f"{self.workers} worker{'' if self.workers == 1 else 's'}"
