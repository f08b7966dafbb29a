"""Current health of each component, reported by /healthz."""

from collections.abc import Mapping
from types import MappingProxyType


class Health:
    """The components that have a problem, with its description."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}

    @property
    def problems(self) -> Mapping[str, str]:
        """Current problems by component; empty while the worker is healthy."""
        return MappingProxyType(self._problems)

    def unhealthy(self, component: str, reason: str) -> None:
        """Report a problem of a component."""
        self._problems[component] = reason

    def healthy(self, component: str) -> None:
        """Clear the problem of a component."""
        self._problems.pop(component, None)
