"""Functions of a template's text."""

from __future__ import annotations

import time

from localbus.cloudformation.template.intrinsic_functions import sub_variables


def test_the_variables_of_a_text() -> None:
    """A name between braces is one; one with an exclamation mark says that it is none."""
    assert [found[1] for found in sub_variables("a ${A}${B.Arn} ${!C} ${} $ { D } ${E")] == ["A", "B.Arn"]


def test_braces_that_are_never_closed_take_no_time() -> None:
    """A template may be a text of nothing but openings."""
    started = time.process_time()

    assert list(sub_variables("${" * 200_000)) == []

    assert time.process_time() - started < 1
