"""Which order each recent Idempotency-Key stands for, as far as this process knows: the worker knows the rest."""

import hashlib
from collections import OrderedDict


class KeyMemory:
    """Remembers the digest of the last max_keys keys, the least recently used forgotten first.

    A key is bound before its order is published and stays bound when publishing fails: the order may have got through
    although nobody said so, and then another body under this key would be a second, conflicting order.
    """

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._digests: OrderedDict[bytes, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._digests)

    def bind(self, key: str, digest: str) -> bool:
        """Bind key to digest, and say whether that is what it stands for (False: it stands for another already)."""
        name = hashlib.blake2b(key.encode(), digest_size=16).digest()  # so that long keys take no more room
        bound = self._digests.setdefault(name, digest)
        self._digests.move_to_end(name)
        if len(self._digests) > self._max_keys:
            self._digests.popitem(last=False)
        return bound == digest
