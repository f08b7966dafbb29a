"""A behaviour: a statement about AWS in one line, with its documentation page and a check against an endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fidelity.aws import Aws
from fidelity.expect import refused
from fidelity.sources import Source

Check = Callable[[Aws], None]


@dataclass(frozen=True)
class Behaviour:
    """A row of the table. The check returns if the engine behaves as AWS, else raises WrongError or NotBuiltError.

    `differs` is the reason for which localbus does not behave as AWS here, and empty where it must.
    """

    name: str
    statement: str
    source: Source
    check: Check
    differs: str = ""


@dataclass(frozen=True)
class Group:
    """Behaviours of one part of a service, in the order of the table."""

    service: str
    title: str
    behaviours: list[Behaviour] = field(default_factory=list)

    def behaviour(self, source: Source, *, differs: str = "") -> Callable[[Check], Check]:
        """Add a check: its name becomes the behaviour's, its docstring the statement."""

        def add(check: Check) -> Check:
            self.add(check.__name__, (check.__doc__ or "").strip(), source, check, differs=differs)
            return check

        return add

    def add(self, name: str, statement: str, source: Source, check: Check, *, differs: str = "") -> None:
        """Add a behaviour that is made from a row of values."""
        texts = (statement.removesuffix("."), differs.removesuffix("."))
        self.behaviours.append(Behaviour(name.replace("_", "-"), texts[0], source, check, texts[1]))

    def refusals(self, call: str, code: str, source: Source, **usual: Any) -> Callable[..., None]:
        """Return a function that adds rows: AWS refuses a call, such as `sqs.create_queue`, with a code.

        A row's last parameters are those of the call, beside the usual ones. One that is a function, such as
        `Aws.topic`, is called with the check's `Aws`.
        """
        service, _, action = call.partition(".")

        def add(
            name: str,
            statement: str,
            says: str = "",
            *,
            code: str = code,
            source: Source = source,
            recorded: bool = False,
            differs: str = "",
            **given: Any,
        ) -> None:
            def check(aws: Aws) -> None:
                sent = {key: value(aws) if callable(value) else value for key, value in (usual | given).items()}
                refused(code, getattr(aws.client(service), action), says=says, **sent)

            self.add(name, statement, replace(source, recorded=source.recorded or recorded), check, differs=differs)

        return add
