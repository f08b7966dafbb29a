"""The account as the page of resources shows it, read once for all its viewers."""

import shlex
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.resources.clients import Clients
from orderboard.resources.inventory import Document, Inventory
from orderboard.resources.losses import losses_of
from orderboard.resources.problems import problems_of
from orderboard.resources.reader import read_by_api, read_localbus
from orderboard.resources.rows import rows_of
from orderboard.system import command_line
from orderboard.system.localbus import Localbus
from orderboard.system.target import NoStackError

# localbus answers in one request. Other backends need one or two for each resource, and AWS bills them, so there the
# page is read anew when the user asks for it.
_KEPT_S: Final = {"localbus": 0.9, "local": 10.0, "aws": float("inf")}
_EVERY_S: Final = {"localbus": 2.0, "local": 15.0, "aws": None}


@dataclass(frozen=True)
class Reading:
    """An inventory with the clients of its backend, at a monotonic time. engine is None on other backends."""

    inventory: Inventory
    clients: Clients
    engine: Localbus | None
    read_at_s: float

    @property
    def pace(self) -> str:
        """The name of the pace at which this backend is read."""
        if self.engine is not None:
            return "localbus"
        return "local" if self.clients.connection.endpoint.local else "aws"

    def find(self, arn: str, *kinds: str) -> Document:
        """Return a resource of these kinds; UsageError if it is not there."""
        kind, document = self.inventory.by_arn.get(arn, (None, {}))
        if kind is None or kind not in kinds:
            raise UsageError(f"Unknown {' or '.join(kinds)} {arn}: it is not in this account.")
        return document


class Account:
    """The resources of the source's backend."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._clients: Clients | None = None
        self._reading: Reading | None = None

    def reading(self, *, fresh: bool = False) -> Reading:
        """Return what was read last, or (fresh, or if that is old) read it anew. RigError if nothing answers."""
        with self._lock:
            connection, engine = self._source.reachable_connection(), self._source.localbus()
            if self._clients is None or self._clients.connection is not connection:
                self._clients, self._reading = Clients(connection), None
            kept = self._reading
            if kept is None or fresh or time.monotonic() - kept.read_at_s > _KEPT_S[kept.pace]:
                inventory = None if engine is None else read_localbus(engine)
                found = read_by_api(connection) if inventory is None else inventory
                self._reading = kept = Reading(found, self._clients, engine, time.monotonic())
            return kept

    def document(self, *, fresh: bool = False) -> dict[str, Any]:
        """JSON for the page: a row for each resource, what was lost, and what this backend cannot say."""
        reading = self.reading(fresh=fresh)
        inventory, clients, engine = reading.inventory, reading.clients, reading.engine
        endpoint = clients.connection.endpoint
        losses = [] if engine is None else losses_of(engine.losses(), inventory, clients)
        return {
            "now_s": inventory.now_s,
            "backend": "localbus" if engine is not None else endpoint.name,
            "endpoint_url": endpoint.endpoint_url,
            "every_s": _EVERY_S[reading.pace],
            "rows": [each.document() for each in rows_of(inventory, problems_of(inventory, clients))],
            "losses": [asdict(each) for each in losses],
            "unread": inventory.unread,
            "why_no_journal": None if engine is not None else self._why_no_journal(),
        }

    def engine(self) -> Localbus:
        """Return localbus's developer API; UsageError on another backend."""
        found = self.reading().engine
        if found is None:
            raise UsageError(self._why_no_journal())
        return found

    def why_no_board(self) -> str | None:
        """Return why the board is not there; None if an order system runs on the backend."""
        try:
            self._source.target()
        except NoStackError as exc:
            return str(exc)
        return None

    def orderboard(self, *words: str, body: str | None = None) -> str:
        """Return an orderboard command line, which names a backend not started here. body: the last word."""
        source = self._source
        options = ["--backend", "aws"] if source.backend == "aws" else []
        if source.endpoint_url is not None:
            options = ["--endpoint-url", source.endpoint_url]
        last = [] if body is None else ["--", body] if body.startswith("-") else [body]
        return f"{command_line.orderboard()} {shlex.join([*words, *options, *last])}"

    def _why_no_journal(self) -> str:
        backend = self._source.connection().endpoint.name
        instead = "Problems in the list show what a policy or a missing target stops."
        return f"Only localbus keeps a journal of messages; the backend is {backend}. {instead}"
