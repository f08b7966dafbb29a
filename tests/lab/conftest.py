"""Fixtures of the lab: an embedded backend whose clock can be turned, and a bare localbus in this process."""

from collections.abc import Iterator

import pytest
from localbus.pytest_plugin import localbus
from orderboard.lab.backend import LabBackend, lab_backend

__all__ = ["localbus"]


@pytest.fixture(scope="session")
def manual_backend() -> Iterator[LabBackend]:
    """The embedded backend with a manual clock, for all experiments of the session."""
    with lab_backend("embedded", None) as backend:
        yield backend
