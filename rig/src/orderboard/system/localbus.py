"""A client of localbus's developer API: journal, delivery faults, API faults, clock, explanations."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from orderboard_stack.backend import Endpoint
from orderboard_stack.process import read_json

from orderboard.errors import RigError, UsageError

_TIMEOUT_S: Final = 5.0
_OF_ONE_MESSAGE: Final = 100
DELIVERY_FAULTS, FAULTS, CLOCK = "/_localbus/disorder", "/_localbus/faults", "/_localbus/clock"
_JOURNAL, _LOSSES = "/_localbus/journal", "/_localbus/losses"
_QUEUES, _EXPLAIN = "/_localbus/queues", "/_localbus/explain"
_RESOURCES = "/_localbus/resources"


@dataclass(frozen=True)
class JournalEntry:
    """One journal entry: an event of a message at a resource (an ARN), at a time of localbus's clock.

    real_at: the real time, if localbus's clock is manual.
    """

    number: int
    at: float
    event: str
    resource: str
    message_id: str = ""
    detail: Any = None
    real_at: float | None = None


@dataclass
class Localbus:
    """The localbus at this URL."""

    url: str
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Certificates take 20 ms to load, and are needed for https only.
        verify = self.url.startswith("https:")
        self._http = httpx.Client(base_url=self.url, timeout=_TIMEOUT_S, trust_env=False, verify=verify)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def entries(
        self, *, last: int | None = None, message_id: str = "", resource: str = "", event: str = "", after: int = 0
    ) -> list[JournalEntry]:
        """Return the last journal entries, oldest first: of a message, a resource (name or ARN), an event, or all.

        message_id, event: this one, or several, separated by commas. after: only those with a greater number.
        """
        filters = {"message_id": message_id, "resource": resource, "event": event}
        query = {"last": str(last or ""), "after": str(after or ""), **filters}
        document = self.get(f"{_JOURNAL}?{httpx.QueryParams({k: v for k, v in query.items() if v})}") or {}
        return [JournalEntry(**each) for each in document["entries"]]

    def of_message(self, message_id: str) -> list[JournalEntry]:
        """Return a message's last entries, at most 100: one that is received again and again has more."""
        return self.entries(last=_OF_ONE_MESSAGE, message_id=message_id)

    def last_purge(self, queue_arn: str) -> JournalEntry | None:
        """Return the last purge of a queue; None if the journal has none."""
        return next(iter(self.entries(last=1, resource=queue_arn, event="purged")), None)

    def losses(self) -> list[dict[str, Any]]:
        """Return the messages that did not reach their targets, counted by source, target and code."""
        found = self.get(_LOSSES)
        return [] if found is None else list(found["losses"])

    def queues(self) -> dict[str, Any] | None:
        """Return the counts of each queue, its oldest message, and localbus's time."""
        return self.get(_QUEUES)

    def resources(self) -> dict[str, Any] | None:
        """Return every resource of all accounts, by kind, and localbus's time; None if this localbus is older."""
        return self.get(_RESOURCES)

    def explain(self, pattern: str, event: dict[str, Any]) -> dict[str, Any]:
        """Return whether a pattern or filter policy matches, with a reason for each field."""
        return self.change("POST", _EXPLAIN, {"pattern": pattern, "event": event})

    def now(self) -> float:
        """Return localbus's time in seconds since 1970."""
        return float((self.get(CLOCK) or {})["now"])

    def get(self, path: str) -> dict[str, Any] | None:
        """Read a page; None if this localbus does not have it."""
        return self._request("GET", path, None)

    def change(self, method: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Send a document; raise UsageError with localbus's reason if it rejects it."""
        answer = self._request(method, path, document)
        if answer is None:
            raise UsageError(f"This localbus does not have {path}.")
        return answer

    def _request(self, method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            response = self._http.request(method, path, json=document)
            answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise RigError(f"localbus did not answer {method} {path}: {exc or type(exc).__name__}") from exc
        if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            return None
        if response.is_error:
            raise UsageError(f"localbus rejected the request: {answer.get('error', answer)}")
        return answer


def find(endpoint: Endpoint) -> Localbus | None:
    """Return the localbus at this endpoint; None if another backend answers there."""
    if endpoint.endpoint_url is None or not endpoint.local:
        return None
    url = endpoint.endpoint_url.rstrip("/")
    health = read_json(f"{url}/_localbus/health", _TIMEOUT_S)
    return Localbus(url) if isinstance(health, dict) and health.get("status") == "running" else None


def now_at(endpoint: Endpoint) -> datetime:
    """Return the time of the backend: of localbus's clock, which may stand still, else the real time."""
    if (engine := find(endpoint)) is None:
        return datetime.now(UTC)
    with closing(engine):
        return datetime.fromtimestamp(engine.now(), UTC)
