"""The results of compare-workers: what was measured, what it would cost on AWS, and from which volume on it changes."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from orderboard.system.state import WorkerCompute

LoadName = Literal["idle", "steady", "spike"]

MS: Final = 1000.0


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Invocations(_Value):
    """The invocations of the worker's function, by the lines of its log that Lambda bills by."""

    count: int
    cold: int = Field(description="The first of an execution environment.")
    warm_billed_ms: float = Field(description="Of the others, together.")
    cold_billed_ms: float = Field(description="Of the cold ones, together.")
    warm_processor_ms: float = Field(description="Processor time of the others, together.")
    most_memory_mb: int = Field(description="0 where the backend does not measure it.")

    @property
    def all_cold(self) -> bool:
        """Return whether no invocation shows what a usual one costs."""
        return self.count == self.cold

    @property
    def warm_ms(self) -> float:
        """The mean of a warm invocation; of all where none was warm."""
        warm = self.count - self.cold
        return self.warm_billed_ms / warm if warm else self.cold_billed_ms / max(self.count, 1)

    @property
    def processor_ms(self) -> float:
        """The mean processor time of a warm invocation; 0 where none was warm."""
        return self.warm_processor_ms / max(self.count - self.cold, 1)


class Run(_Value):
    """One load on one worker."""

    load: LoadName
    worker: WorkerCompute
    orders: int
    offered_per_s: float
    finished_per_s: float
    accept_p50_ms: float | None
    accept_p99_ms: float | None
    end_to_end_p50_ms: float | None
    end_to_end_p99_ms: float | None
    valid: bool
    verdict: str
    processor_ms: float | None = Field(
        description="Processor time of a worker process for an order; None for a function, and where it is not seen."
    )
    invocations: Invocations | None = Field(default=None, description="None for processes.")
    folder: str = Field(description="The burst with its report.")


class Sizes(_Value):
    """The sizes that are paid for on AWS."""

    memory_mb: int = Field(description="Of the function.")
    task_vcpu: float
    task_gb: float
    least_tasks: int
    utilisation: float = Field(description="The share of a task's processor that may be used before another starts.")
    invocation_ms: float | None = Field(
        default=None, description="Billed for each invocation, as given; None: as measured."
    )


class LoadCost(_Value):
    """The cost of a million orders that come at the rate of one load, and the volume at which the cheaper one changes.

    Left out: what is the same for both, such as deliveries, deletes, rows and events.
    """

    load: LoadName
    hours: float = Field(description="The time in which a million orders come at this rate.")
    tasks: int = Field(description="Running all that time.")
    container_usd: float
    lambda_usd: float
    invocation_ms: float = Field(description="Billed for each invocation, as taken for the cost.")
    orders_per_invocation: float
    break_even_orders: int | None = Field(
        description="A month: from there on containers are cheaper. None: not below a billion."
    )


class Comparison(_Value):
    """compare-workers --json."""

    format: Literal["orderboard.compare-workers.v1"] = "orderboard.compare-workers.v1"
    backend: str
    machine: str
    runs: tuple[Run, ...]
    sizes: Sizes
    costs: tuple[LoadCost, ...] = Field(description="Of the loads that both workers have had.")
    rates: dict[str, float] = Field(description="USD a unit.")
    rates_as_of: str
    notes: tuple[str, ...] = Field(description="What the figures hold for, each a sentence.")
    broken_off: bool = False

    def run(self, load: LoadName, worker: WorkerCompute) -> Run | None:
        """Return a run; None if it was not reached."""
        return next((each for each in self.runs if (each.load, each.worker) == (load, worker)), None)
