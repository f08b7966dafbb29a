"""The memory of keys, by itself."""

from hypothesis import given
from hypothesis import strategies as st
from order_api.idempotency import KeyMemory


def test_a_key_stands_for_its_first_digest() -> None:
    """The first digest is bound; the same is right, another is not, and does not take its place."""
    keys = KeyMemory(max_keys=10)

    assert keys.bind("k", "first")
    assert keys.bind("k", "first")
    assert not keys.bind("k", "second")
    assert keys.bind("k", "first")


def test_the_least_recently_used_key_is_forgotten() -> None:
    """A full memory forgets the key that was not used for longest."""
    keys = KeyMemory(max_keys=2)
    keys.bind("a", "1")
    keys.bind("b", "1")
    keys.bind("a", "1")

    keys.bind("c", "1")

    assert not keys.bind("a", "2")
    assert keys.bind("b", "2")


@given(st.lists(st.tuples(st.text(max_size=3), st.sampled_from("12")), max_size=60), st.integers(1, 8))
def test_the_memory_is_bounded_and_never_wrong(requests: list[tuple[str, str]], max_keys: int) -> None:
    """However it is used: never more keys than allowed, and a key used a moment ago is always known."""
    keys = KeyMemory(max_keys=max_keys)

    for key, digest in requests:
        bound = keys.bind(key, digest)
        assert keys.bind(key, digest) == bound
        assert len(keys) <= max_keys
