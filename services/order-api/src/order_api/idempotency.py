"""A cache of recent Idempotency-Keys. It is local to this process; the worker detects every other conflict."""

import hashlib
from collections import OrderedDict


class IdempotencyCache:
    """The request digests of the max_keys most recently used keys.

    A key is claimed before its order is published and stays claimed if publishing fails: the order may have been
    published without a response, and another body under this key would then be a second, conflicting order.
    """

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._digests: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._digests)

    def claim(self, key: str, digest: str) -> bool:
        """Claim a key for the digest; return False if the key is claimed for another digest."""
        name, given = _short(key), _short(digest)
        claimed = self._digests.setdefault(name, given)
        self._digests.move_to_end(name)
        if len(self._digests) > self._max_keys:
            self._digests.popitem(last=False)
        return claimed == given


def _short(text: str) -> bytes:
    """Return 16 bytes that stand for a text, so that a long key takes no more memory than a short one."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
