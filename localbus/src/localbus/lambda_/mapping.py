"""An event source mapping: a queue, a function, and the settings of the batches between them.

A mapping changes its state in two steps, as on AWS: the answer to a request shows the transition (Creating, Enabling,
Updating, Disabling), which ends in the next turn. A mapping that is created disabled has no transition.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from localbus.lambda_.filter_criteria import FilterCriteria, read_filter_criteria
from localbus.metric_counts import MetricCounts
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document

State = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting"]
REPORT_FAILURES = "ReportBatchItemFailures"
EVENT_COUNT = "EventCount"

# A mapping starts with five concurrent invocations. AWS then adds up to 300 a minute; one machine has no room for them.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
DEFAULT_CONCURRENCY = 5


@dataclass(frozen=True)
class Settings:
    """The settings of batches and invocations. Without `maximum_concurrency` there are up to five invocations.

    With `counts_events` the mapping publishes its own metrics.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
    """

    batch_size: int = 10
    batching_window_s: int = 0
    maximum_concurrency: int | None = None
    reports_failures: bool = False
    filters: FilterCriteria | None = None
    counts_events: bool = False

    @property
    def concurrency(self) -> int:
        """The limit of invocations at a time."""
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
    counts: MetricCounts = field(default_factory=MetricCounts)

    @property
    def arn(self) -> str:
        """The mapping's ARN, for the journal and for tags."""
        return f"arn:aws:lambda:{self.region}:{self.account}:event-source-mapping:{self.uuid}"

    @property
    def is_in_transition(self) -> bool:
        """True while a change is under way, during which AWS accepts no other."""
        return self.state not in {"Enabled", "Disabled"}

    @property
    def is_enabled(self) -> bool:
        """True if the poller runs, or will when the transition ends."""
        return self.state not in {"Disabling", "Disabled", "Deleting"}

    def stored(self) -> Document:
        """Return the mapping for the storage, as it is after a transition."""
        filters = self.settings.filters
        return {
            "account": self.account,
            "region": self.region,
            "queue_arn": self.queue_arn,
            "function_arn": self.function_arn,
            "settings": asdict(replace(self.settings, filters=None)),
            "filters": filters.document() if filters else None,
            "modified_at": self.modified_at,
            "is_enabled": self.is_enabled,
            "tags": self.tags,
        }

    @classmethod
    def restored(cls, uuid: str, stored: Document) -> EventSourceMapping:
        """Return a mapping from the storage, whose poller does not run yet."""
        filters, settings, is_enabled = (stored.pop(name) for name in ("filters", "settings", "is_enabled"))
        settings["filters"] = read_filter_criteria(filters) if filters else None
        state: State = "Enabled" if is_enabled else "Disabled"
        return cls(uuid, settings=Settings(**settings), state=state, **stored)

    def document(self) -> Params:
        """Return the mapping as the API shows it, without optional settings that are not set."""
        settings = self.settings
        document: Params = {
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
            document["ScalingConfig"] = {"MaximumConcurrency": settings.maximum_concurrency}
        if settings.filters is not None:
            document["FilterCriteria"] = settings.filters.document()
        if settings.counts_events:
            document["MetricsConfig"] = {"Metrics": [EVENT_COUNT]}
        return document
