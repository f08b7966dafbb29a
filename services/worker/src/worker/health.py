"""What ails the worker just now, by part. The monitor shows it; whoever notices says so here."""

from collections.abc import Mapping
from types import MappingProxyType


class Health:
    """The parts that have a problem, each with its words."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    @property
    def problems(self) -> Mapping[str, str]:
        """The problems of now, by part; empty when all is well."""
        return MappingProxyType(self._problems)

    def problem(self, part: str, words: str) -> None:
        """Note that part does not work."""
        self._problems[part] = words

    def well(self, part: str) -> None:
        """Note that part works."""
        self._problems.pop(part, None)
