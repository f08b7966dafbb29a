"""An alarm: its definition, its state, and its history.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from localbus.cloudwatch.alarm_evaluation import INSUFFICIENT_DATA, Rule
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document

# CloudWatch keeps the history of 30 days, which localbus limits to so many entries.
MAX_HISTORY: Final = 200
SHORTEST_PERIOD_S: Final = 10  # and the time between the evaluations of alarms with periods below a minute
_ACTIONS: Final = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}

HistoryType = Literal["ConfigurationUpdate", "StateUpdate", "Action"]


@dataclass
class HistoryItem:
    """An entry of the history. `data` is JSON."""

    at: float
    kind: HistoryType
    summary: str
    data: str


@dataclass
class Alarm:
    """A metric alarm. `given` is PutMetricAlarm's input without its tags."""

    account: str
    region: str
    given: Params
    updated_at: float
    state: str = INSUFFICIENT_DATA
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str = ""
    state_at: float = 0.0
    transitioned_at: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)
    history: deque[HistoryItem] = field(default_factory=lambda: deque(maxlen=MAX_HISTORY))

    @property
    def name(self) -> str:
        """The name."""
        name: str = self.given["AlarmName"]
        return name

    @property
    def arn(self) -> str:
        """The ARN."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account}:alarm:{self.name}"

    @property
    def rule(self) -> Rule:
        """The part of the definition that decides."""
        given = self.given
        periods: int = given["EvaluationPeriods"]
        return Rule(
            given["ComparisonOperator"],
            float(given["Threshold"]),
            periods,
            given.get("DatapointsToAlarm", periods),
            self._treat_missing(),
            is_m_of_n="DatapointsToAlarm" in given,
        )

    def _treat_missing(self) -> str:
        """Return how missing data is treated. An alarm on a table's metric ignores it (API_PutMetricAlarm)."""
        if self.given.get("Namespace") == "AWS/DynamoDB":
            return "ignore"
        treatment: str = self.given.get("TreatMissingData", "missing")
        return treatment

    @property
    def statistic(self) -> str:
        """The statistic, of an alarm on a single metric."""
        name: str = self.given.get("Statistic") or self.given["ExtendedStatistic"]
        return name

    @property
    def queries(self) -> list[Params]:
        """The queries of its metrics; one for an alarm on a single metric."""
        if "Metrics" in self.given:
            queries: list[Params] = self.given["Metrics"]
            return queries
        stat = {
            "Period": self.given["Period"],
            "Stat": self.given.get("Statistic", self.given.get("ExtendedStatistic")),
        }
        metric = {key: self.given[key] for key in ("Namespace", "MetricName", "Dimensions") if key in self.given}
        unit = {"Unit": self.given["Unit"]} if "Unit" in self.given else {}
        return [{"Id": "metric", "MetricStat": {"Metric": metric, **stat, **unit}}]

    @property
    def result_id(self) -> str:
        """The id of the query that is compared with the threshold: the only one that returns data."""
        return next(str(query["Id"]) for query in self.queries if query.get("ReturnData", True))

    @property
    def period_s(self) -> int:
        """The period of a data point."""
        periods = [query["MetricStat"]["Period"] for query in self.queries if "MetricStat" in query]
        return max(periods, default=60)

    @property
    def actions_enabled(self) -> bool:
        """True if actions are executed."""
        return bool(self.given.get("ActionsEnabled", True))

    def actions(self, state: str) -> Sequence[str]:
        """Return the ARNs of the actions for a state."""
        found: Sequence[str] = self.given.get(_ACTIONS[state], ())
        return found

    def add_history(self, at: float, kind: HistoryType, summary: str, data: Any) -> None:
        """Add an entry to the history; the oldest goes when they are too many."""
        self.history.append(HistoryItem(at, kind, summary, json.dumps(data)))

    def shown(self) -> Params:
        """Return the alarm as DescribeAlarms does."""
        found = {
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
        } | self.given
        if "Metrics" not in found:
            found.setdefault("Dimensions", [])
        return found | {
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": moment(self.updated_at),
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": moment(self.state_at),
            "StateTransitionedTimestamp": moment(self.transitioned_at),
            **({"StateReasonData": self.reason_data} if self.reason_data else {}),
        }

    def document(self) -> Document:
        """Return the alarm for the storage."""
        return {
            "given": self.given,
            "updated_at": self.updated_at,
            "state": self.state,
            "reason": self.reason,
            "reason_data": self.reason_data,
            "state_at": self.state_at,
            "transitioned_at": self.transitioned_at,
            "tags": self.tags,
            "history": [[one.at, one.kind, one.summary, one.data] for one in self.history],
        }

    @classmethod
    def restored(cls, account: str, region: str, document: Document) -> Alarm:
        """Return the alarm of a document."""
        history = deque((HistoryItem(*one) for one in document.pop("history")), MAX_HISTORY)
        return cls(account, region, **document, history=history)


def moment(at: float) -> datetime:
    """Return a time for an answer."""
    return datetime.fromtimestamp(at, UTC)


def iso_time(at: float) -> str:
    """Return a time as CloudWatch writes it in texts: 2026-11-29T23:20:00.000+0000."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
