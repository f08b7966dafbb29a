"""localbus's own doors, from outside: its journal, its disorder, its faults and its clock. Others have none."""

from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from orderboard_stack.backend import Endpoint, read_json

from orderboard.errors import RigError, UsageError

_TIMEOUT_S: Final = 5.0
_OF_ONE_MESSAGE: Final = 100
DISORDER, FAULTS, CLOCK = "/_localbus/disorder", "/_localbus/faults", "/_localbus/clock"
_JOURNAL: Final = "/_localbus/journal"
_QUEUES: Final = "/_localbus/queues"


@dataclass(frozen=True)
class Entry:
    """One line of the journal: what happened to a message, where (an ARN), at what time by localbus's clock."""

    number: int
    at: float
    event: str
    resource: str
    message_id: str = ""
    detail: Any = None


@dataclass
class Localbus:
    """One that answers at this URL."""

    url: str
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, timeout=_TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Let its connection go."""
        self._http.close()

    def entries(self, *, last: int, message_id: str = "", resource: str = "") -> list[Entry]:
        """The journal's last entries about a message, about a resource (its name will do), or at all; oldest first."""
        query = {"last": str(last), "message_id": message_id, "resource": resource}
        document = self.get(f"{_JOURNAL}?{httpx.QueryParams({k: v for k, v in query.items() if v})}") or {}
        return [Entry(**each) for each in document["entries"]]

    def of_message(self, message_id: str) -> list[Entry]:
        """What happened to a message; of one that was received over and over, the last of it."""
        return self.entries(last=_OF_ONE_MESSAGE, message_id=message_id)

    def queues(self) -> dict[str, Any] | None:
        """How much is in each queue and since when, with the time that it is by localbus's clock."""
        return self.get(_QUEUES)

    def now(self) -> float:
        """The time by localbus's clock, in seconds since 1970."""
        return float((self.get(CLOCK) or {})["now"])

    def get(self, path: str) -> dict[str, Any] | None:
        """Read a door; None where this localbus has none of the kind."""
        return self._answer("GET", path, None)

    def change(self, method: str, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Ask for something else there; raise UsageError with localbus's own words when it refuses."""
        answer = self._answer(method, path, document)
        if answer is None:
            raise UsageError(f"This localbus has no {path}.")
        return answer

    def _answer(self, method: str, path: str, document: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            answer = self._http.request(method, path, json=document)
            said: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise RigError(f"localbus did not answer {method} {path}: {exc or type(exc).__name__}") from exc
        if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            return None
        if answer.is_error:
            raise UsageError(f"localbus refused: {said.get('error', said)}")
        return said


def find(endpoint: Endpoint) -> Localbus | None:
    """The localbus at this endpoint; None where another backend answers."""
    if endpoint.endpoint_url is None or not endpoint.local:
        return None
    url = endpoint.endpoint_url.rstrip("/")
    health = read_json(f"{url}/_localbus/health", _TIMEOUT_S)
    return Localbus(url) if isinstance(health, dict) and health.get("status") == "running" else None
