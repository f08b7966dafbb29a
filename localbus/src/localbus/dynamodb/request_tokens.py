"""The tokens by which a transaction that is sent again changes nothing.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

import json

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.storage.storage import Storage

_KEPT_S = 600
_TOKEN = "dynamodb.token"  # noqa: S105 (the kind of a record)


class RequestTokens:
    """The tokens of the last ten minutes, with a digest of their requests, the oldest first."""

    def __init__(self, clock: Clock, storage: Storage) -> None:
        self._clock = clock
        self._storage = storage
        self._kept: dict[tuple[str, str, str], tuple[float, bytes]] = {}

    def is_repeated(self, caller: Caller, token: str, digest: bytes) -> bool:
        """Return whether the request has succeeded before. Raises AwsError if the token was that of another."""
        found = self._kept.get((caller.account, caller.region, token))
        if found is None or found[0] <= self._clock.now():
            return False
        if found[1] != digest:
            text = "Specified idempotent token was used with different request parameters within the idempotency window"
            raise AwsError("IdempotentParameterMismatchException", text, members={"Message": text})
        return True

    def keep(self, caller: Caller, token: str, digest: bytes) -> None:
        """Keep the token of a successful request, and forget those that have expired."""
        now = self._clock.now()
        while self._kept and (oldest := next(iter(self._kept.items())))[1][0] <= now:
            del self._kept[oldest[0]]
            self._storage.delete(_TOKEN, json.dumps(oldest[0]))
        key = (caller.account, caller.region, token)
        self._kept.pop(key, None)
        self._kept[key] = kept = (now + _KEPT_S, digest)
        self._storage.save(_TOKEN, json.dumps(key), lambda: kept)

    def restore(self) -> None:
        """Read the tokens from the storage."""
        kept: dict[tuple[str, str, str], tuple[float, bytes]] = {}
        for _, key, (until, digest) in self._storage.records(_TOKEN):
            account, region, token = json.loads(key)
            kept[account, region, token] = (until, digest)
        self._kept = dict(sorted(kept.items(), key=lambda each: each[1][0]))
