"""What an event source mapping is: a queue, the function that is to have its messages, and how it is to have them.

A mapping changes its state in two steps, as on AWS: the answer to a request shows the step (Creating, Enabling,
Updating, Disabling), and the turn after that what has come of it. One that is created disabled is so at once. Receiving
is `event_source_mapping_poller`'s part.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from localbus.lambda_.filter_criteria import FilterCriteria
from localbus.protocol.service_model import Params

State = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting"]
REPORT_FAILURES = "ReportBatchItemFailures"

# A mapping begins with five concurrent invocations; AWS then adds up to 300 a minute, of which this machine has none.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
DEFAULT_CONCURRENCY = 5


@dataclass(frozen=True)
class Settings:
    """How batches are made and handed over. `maximum_concurrency` None is the default of five.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
    """

    batch_size: int = 10
    batching_window_s: int = 0
    maximum_concurrency: int | None = None
    reports_failures: bool = False
    filters: FilterCriteria | None = None

    @property
    def concurrency(self) -> int:
        """How many invocations there may be at a time."""
        return self.maximum_concurrency or DEFAULT_CONCURRENCY


@dataclass
class EventSourceMapping:
    """One mapping. Times are seconds since 1970."""

    uuid: str
    account: str
    region: str
    queue_arn: str
    function_arn: str
    settings: Settings
    modified_at: float
    state: State = "Creating"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The mapping's own ARN, under which the journal has it and by which it is tagged."""
        return f"arn:aws:lambda:{self.region}:{self.account}:event-source-mapping:{self.uuid}"

    @property
    def is_in_transition(self) -> bool:
        """Whether a change is under way, during which AWS takes no other."""
        return self.state not in {"Enabled", "Disabled"}

    def document(self) -> Params:
        """The mapping as the API shows it; what was not asked for is not there."""
        settings = self.settings
        shown: Params = {
            "UUID": self.uuid,
            "BatchSize": settings.batch_size,
            "MaximumBatchingWindowInSeconds": settings.batching_window_s,
            "EventSourceArn": self.queue_arn,
            "FunctionArn": self.function_arn,
            "EventSourceMappingArn": self.arn,
            "LastModified": self.modified_at,
            "State": self.state,
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": [REPORT_FAILURES] if settings.reports_failures else [],
        }
        if settings.maximum_concurrency is not None:
            shown["ScalingConfig"] = {"MaximumConcurrency": settings.maximum_concurrency}
        if settings.filters is not None:
            shown["FilterCriteria"] = settings.filters.document()
        return shown
