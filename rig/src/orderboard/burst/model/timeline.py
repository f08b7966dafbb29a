"""The timeline of a burst, and the events on it."""

from typing import Literal

from pydantic import Field

from orderboard.burst.model.base import Value


class TimelineRow(Value):
    """One second of the timeline, from at_s to at_s + 1. None where nothing was known or nothing happened.

    Queue counts are SQS's approximate ones, a sample of that second: for the chart only.
    """

    at_s: int
    phase: Literal["load", "drain"]
    intended: int = Field(description="Orders to be sent in this second.")
    sent: int = Field(description="Orders that were sent.")
    accepted: int = Field(description="Orders that were answered 202.")
    refused: int = Field(description="Orders that the API refused for good (4xx).")
    unavailable: int = Field(description="Orders that got 5xx, 429, or no answer.")
    finished: int = Field(description="Orders whose final outcome event arrived.")
    accept_p50_ms: float | None = Field(default=None, description="Of orders answered 202 in this second.")
    accept_p99_ms: float | None = None
    end_to_end_p50_ms: float | None = Field(default=None, description="Of orders finished in this second.")
    end_to_end_p99_ms: float | None = None
    oldest_age_s: float | None = Field(
        default=None, description="Age of the oldest order that was accepted and not finished, by the rig's record."
    )
    unfinished: int = Field(description="Orders accepted and not finished, by the rig's record.")
    generator_lag_ms: float | None = Field(default=None, description="The largest delay of a send in this second.")
    workers: int = Field(description="Workers that ran; frozen ones do not count.")
    work_visible: int | None = None
    work_in_flight: int | None = None
    express_visible: int | None = None
    express_in_flight: int | None = None
    alerts_visible: int | None = None
    alerts_in_flight: int | None = None
    dead_letters: int | None = Field(default=None, description="In all dead-letter queues.")
    listener_visible: int | None = Field(
        default=None, description="Outcomes that the rig has not read yet: `finished` lags by these."
    )
    clients: int | None = Field(default=None, description="Clients that send in the middle of this second.")


class FaultMark(Value):
    """An event on the time axis: something that was done to the system, or happened to it."""

    at_s: float
    text: str
    fault: str | None = Field(default=None, description="The kind of an injected fault; None for any other event.")


class FaultWindow(Value):
    """The time of an injected fault."""

    fault: str
    from_s: float
    to_s: float
