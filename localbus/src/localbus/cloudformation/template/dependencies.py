"""References between a template's resources, their validation, and the order of creation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localbus.cloudformation.template.intrinsic_functions import read_get_att, read_sub, sub_variables
from localbus.cloudformation.template.parser import as_text, format_error, template_error
from localbus.cloudformation.template.template import Definition, Template
from localbus.errors import AwsError

Holds = Callable[[Any], bool]

PSEUDO_PARAMETERS = (
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)


def references(value: Any, holds: Holds | None = None) -> Iterator[tuple[str, str | None]]:
    """The logical ids and attributes that Ref (attribute None), Fn::GetAtt and Fn::Sub refer to.

    With `holds`, only the active branch of an Fn::If counts.
    """
    is_function = isinstance(value, dict) and len(value) == 1
    match value:
        case {"Ref": str(name)} if is_function:
            yield name, None
        case {"Fn::GetAtt": argument} if is_function:
            logical_id, attribute = read_get_att(argument)
            yield logical_id, attribute if isinstance(attribute, str) else ""
            yield from references(attribute, holds)
        case {"Fn::Sub": argument} if is_function:
            yield from _in_sub(argument, holds)
        case {"Fn::If": [condition, then, otherwise]} if is_function and holds is not None:
            yield from references(then if holds(condition) else otherwise, holds)
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from references(item, holds)


def _in_sub(argument: Any, holds: Holds | None) -> Iterator[tuple[str, str | None]]:
    text, given = read_sub(argument)
    for found in sub_variables(text):
        name = found[1].strip()
        if name not in given:
            resource, dot, attribute = name.partition(".")
            yield resource, attribute if dot else None
    yield from references(given, holds)


def check_references(template: Template) -> None:
    """Raise AwsError for a reference to an undefined name, with CloudFormation's message."""
    known = {*template.parameters, *PSEUDO_PARAMETERS, *template.resources}
    resources = [(one.properties, one.depends_on) for one in template.resources.values()]
    _check_block("Resources", template, resources, known)
    _check_block("Outputs", template, [(one, ()) for one in template.outputs.values()], known)
    conditional = [one.condition for one in template.resources.values()]
    conditional += [one.get("Condition") for one in template.outputs.values()]
    for name in conditional:
        if name is not None and (not isinstance(name, str) or name not in template.conditions):
            raise format_error(
                f"Unresolved condition dependency {as_text(name)} in the Conditions block of the template"
            )


def _check_block(block: str, template: Template, parts: list[tuple[Any, tuple[str, ...]]], known: set[str]) -> None:
    unresolved: list[str] = []
    for value, depends_on in parts:
        for name, attribute in references(value):
            if attribute is not None and name not in template.resources:
                raise template_error(f"instance of Fn::GetAtt references undefined resource {name}")
            if name not in known:
                unresolved.append(name)
        unresolved += [name for name in depends_on if name not in template.resources]
    if unresolved:
        names = ", ".join(dict.fromkeys(unresolved))
        raise format_error(f"Unresolved resource dependencies [{names}] in the {block} block of the template")


def dependencies(active: Mapping[str, Definition], holds: Holds) -> dict[str, set[str]]:
    """The logical ids that each active resource needs."""
    found = {}
    for logical_id, definition in active.items():
        names = {name for name, _ in references(definition.properties, holds)}
        names |= {name for name, _ in references(dict(definition.extras), holds)}
        found[logical_id] = (names | set(definition.depends_on)) & set(active)
    return found


def in_order(needs: Mapping[str, set[str]]) -> list[str]:
    """The logical ids, each after those it needs, otherwise in template order. Raises AwsError for a circle."""
    order: list[str] = []
    placed: set[str] = set()
    waiting = list(needs)
    while waiting:
        ready = [name for name in waiting if needs[name] <= placed]
        if not ready:
            circle = ", ".join(_circle(waiting, needs))
            raise AwsError("ValidationError", f"Circular dependency between resources: [{circle}]")
        order += ready
        placed.update(ready)
        waiting = [name for name in waiting if name not in placed]
    return order


def _circle(waiting: list[str], needs: Mapping[str, set[str]]) -> list[str]:
    """The members of circles, without those that only depend on them."""
    while True:
        needed = {name for one in waiting for name in needs[one]}
        circle = [name for name in waiting if name in needed]
        if circle == waiting:
            return circle
        waiting = circle
