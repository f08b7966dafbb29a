"""A small run of each fuzzer; `make fuzz` has the large ones. Its valid requests are valid."""

from __future__ import annotations

import pytest
from fuzz.__main__ import FUZZERS
from fuzz.actions import refused_examples


@pytest.mark.parametrize("name", FUZZERS)
def test_odd_input_has_no_odd_effect(name: str) -> None:
    """A fuzzer finds no fault in its first cases."""
    fuzzer = FUZZERS[name]

    assert fuzzer.run(1, fuzzer.small_count).faults == []


async def test_the_examples_are_valid() -> None:
    """Every valid request succeeds, unless it needs what lasts only a moment, a secret, or another stack."""
    over_at_once = {"CancelMessageMoveTask", "CancelReplay", "CancelUpdateStack", "UpdateStack"}

    assert await refused_examples() - over_at_once == {"ConfirmSubscription", "ListImports"}
