"""The table of services: the engine that serves each, and how far."""

from __future__ import annotations

from typing import Final, NamedTuple


class ServedBy(NamedTuple):
    """A service, the engine that serves it, and how far."""

    service: str
    engine: str
    reach: str


_OWN: Final = (
    ServedBy("sqs, sns, events", "localbus", "whole, but for what answers NotImplemented"),
    ServedBy("dynamodb", "localbus", "whole, but for streams, global tables, exports and what answers NotImplemented"),
    ServedBy(
        "cloudwatch",
        "localbus",
        "metrics of the services here and of your own, metric alarms and dashboards; the rest answers NotImplemented",
    ),
    ServedBy(
        "cloudformation",
        "localbus",
        "queues, topics, buses, tables and what belongs to them; the upstream makes the others",
    ),
)
_ALONE: Final = (
    ServedBy("sts", "localbus", "GetCallerIdentity"),
    ServedBy("all others", "none", "NotImplemented: start localbus with --upstream URL"),
)
_ARRIVE: Final = "what they send to queues, topics and buses arrives here"
_WITH_UPSTREAM: Final = (
    ServedBy("sts", "localbus", "GetCallerIdentity; the upstream has roles, sessions and the keys that it issued"),
    ServedBy("lambda", "localbus", "event source mappings of queues"),
    ServedBy(
        "lambda",
        "upstream",
        "functions; dead letters and OnFailure arrive; OnSuccess, buses and buckets as OnFailure do not",
    ),
    ServedBy(
        "s3", "upstream", "notifications arrive at queues, topics and the default bus, if their policies allow it"
    ),
    ServedBy(
        "scheduler",
        "upstream",
        "schedules for queues, topics, buses, functions and state machines arrive; other and universal targets do not",
    ),
    ServedBy("states", "upstream", "sqs:sendMessage, sns:publish, events:putEvents arrive; their other actions do not"),
    ServedBy("pipes", "upstream", "refused: it has pipes from table streams only, and tables are localbus's"),
    ServedBy("apigateway", "upstream", "integrations with queues arrive, for SendMessage"),
    ServedBy("iot, ses", "upstream", _ARRIVE),
    ServedBy(
        "all others",
        "upstream",
        "events of AWS's services arrive at the default bus, as far as the upstream has them; topics and queues that"
        " they would notify are refused",
    ),
)


def services(*, with_upstream: bool) -> tuple[ServedBy, ...]:
    """Return the table. What does not arrive is refused with NotImplemented when it is configured."""
    return _OWN + (_WITH_UPSTREAM if with_upstream else _ALONE)
