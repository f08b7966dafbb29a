"""The parameters of templates of ours, and what their values may be: read before the first stack is made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

_SECTION: Final = re.compile(r"^Parameters:\n((?: .*\n|\n)*)", re.MULTILINE)
_PARAMETER: Final = re.compile(r"^  (\w+):\n((?:    .*\n)*)", re.MULTILINE)
_KEY: Final = re.compile(r"^    (\w+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """A parameter as its template declares it."""

    keys: Mapping[str, str]

    @property
    def default(self) -> str | None:
        """The value if none is given; None if one must be."""
        found = self.keys.get("Default")
        return None if found is None else found.strip('"')

    def expected(self, value: str) -> str | None:
        """Return what is expected in place of this value; None if it is allowed."""
        allowed = self.keys.get("AllowedValues")
        if allowed is not None:
            values = [each.strip(' "') for each in allowed.strip("[]").split(",")]
            return None if value in values else f"one of {', '.join(values)}"
        pattern = self.keys.get("AllowedPattern")
        if pattern is not None and re.fullmatch(pattern, value) is None:
            return f"{self.keys.get('Description', 'another value')} (as {pattern})"
        if self.keys.get("Type") == "Number":
            least, most = float(self.keys.get("MinValue", -inf)), float(self.keys.get("MaxValue", inf))
            if not (re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) and least <= float(value) <= most):
                bounds = [f"{word} {end:.15g}" for word, end in (("from", least), ("to", most)) if abs(end) != inf]
                return " ".join(["a number", *bounds])
        return None


def parameters_of(template: str) -> dict[str, Parameter]:
    """Return the parameters of a template of ours by their names."""
    section = _SECTION.search(template)
    found = _PARAMETER.findall(section[1]) if section else []
    return {name: Parameter(dict(_KEY.findall(body))) for name, body in found}
