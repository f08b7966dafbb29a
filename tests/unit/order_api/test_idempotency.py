"""The cache of Idempotency-Keys."""

from hypothesis import given
from hypothesis import strategies as st
from order_api.idempotency import IdempotencyCache


def test_a_key_stands_for_its_first_digest() -> None:
    """The first digest claims the key; the same is accepted, another is not and does not replace it."""
    cache = IdempotencyCache(max_keys=10)

    assert cache.claim("k", "first")
    assert cache.claim("k", "first")
    assert not cache.claim("k", "second")
    assert cache.claim("k", "first")


def test_the_least_recently_used_key_is_forgotten() -> None:
    """A full cache drops the key that was not used for longest."""
    cache = IdempotencyCache(max_keys=2)
    cache.claim("a", "1")
    cache.claim("b", "1")
    cache.claim("a", "1")

    cache.claim("c", "1")

    assert not cache.claim("a", "2")
    assert cache.claim("b", "2")


@given(st.lists(st.tuples(st.text(max_size=3), st.sampled_from("12")), max_size=60), st.integers(1, 8))
def test_the_cache_is_bounded_and_never_wrong(requests: list[tuple[str, str]], max_keys: int) -> None:
    """However it is used: never more keys than allowed, and a key used a moment ago is always known."""
    cache = IdempotencyCache(max_keys=max_keys)

    for key, digest in requests:
        claimed = cache.claim(key, digest)
        assert cache.claim(key, digest) == claimed
        assert len(cache) <= max_keys
