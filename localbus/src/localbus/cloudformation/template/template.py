"""A template's sections, validated in form. `intrinsic_functions` resolves their functions.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localbus.cloudformation.template import rules
from localbus.cloudformation.template.parser import format_error, read
from localbus.errors import AwsError

_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
}
INCLUDE, EXTENSIONS, SERVERLESS = "AWS::Include", "AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"
_MACRO = "Fn::Transform"
_MAPPINGS = ("Conditions", "Mappings", "Outputs", "Parameters", "Resources", "Rules")
_RESOURCE_KEYS = {
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
}
_TYPE = re.compile(r"(?:[A-Za-z0-9]{2,64}::){2}[A-Za-z0-9]{2,64}(?:::MODULE)?|Custom::[A-Za-z0-9_@-]+")
_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}


@dataclass(frozen=True)
class Definition:
    """A resource in the template, its functions not yet resolved."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: Any = None
    update_replace_policy: Any = None
    extras: Mapping[str, Any] = field(default_factory=dict)  # Metadata, CreationPolicy, UpdatePolicy


@dataclass(frozen=True)
class Template:
    """A template. Metadata is not interpreted."""

    text: str
    resources: Mapping[str, Definition]
    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    outputs: Mapping[str, Any]
    rules: Mapping[str, Any]
    description: str
    metadata: Any = None
    version: str | None = None
    transforms: tuple[str, ...] = ()
    processed: Mapping[str, Any] | None = None  # the document after its transforms


def parse(text: str) -> Template:
    """Parse a template. Raises AwsError with CloudFormation's message."""
    return parse_document(text, read(text))


def parse_document(text: str, document: Mapping[str, Any], transforms: tuple[str, ...] | None = None) -> Template:
    """Parse the document in a text, or with the names of its transforms, the one that these made of it.

    A document before its transforms may lack resources: those that its loops and macros will make.
    """
    declared = tuple(name for name, _ in transforms_of(document))
    known = (
        _SECTIONS | ({"Globals"} if SERVERLESS in declared else set()) | ({_MACRO} if INCLUDE in declared else set())
    )
    unknown = sorted(str(name) for name in set(document) - known)
    if unknown:
        raise AwsError("ValidationError", f"Invalid template property or properties [{', '.join(unknown)}]")
    sections = {name: _section(document, name) for name in _MAPPINGS}
    rules.check_form(sections["Rules"])
    if transforms is None:
        sections = {name: _without_macros(section, declared) for name, section in sections.items()}
    if not sections["Resources"] and not declared:
        raise format_error("At least one Resources member must be defined.")
    for name, value in sections["Outputs"].items():
        _check_output(name, value)
    description = document.get("Description") or ""
    if not isinstance(description, str):
        raise format_error("Description must be a string.")
    version = document.get("AWSTemplateFormatVersion")
    return Template(
        text=text,
        resources={name: _definition(name, value) for name, value in sections["Resources"].items()},
        parameters=sections["Parameters"],
        mappings=sections["Mappings"],
        conditions=sections["Conditions"],
        outputs=sections["Outputs"],
        rules=sections["Rules"],
        description=description,
        metadata=document.get("Metadata"),
        version=str(version) if version is not None else None,
        transforms=declared if transforms is None else transforms,
        processed=None if transforms is None else document,
    )


def transforms_of(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The names and parameters of the transforms that a document declares. Raises AwsError for unknown ones."""
    given = document.get("Transform") or []
    found: list[tuple[str, Any]] = []
    for one in given if isinstance(given, list) else [given]:
        name = one.get("Name") if isinstance(one, dict) else one
        if not isinstance(name, str):
            raise AwsError("ValidationError", "Key Name of transform definition must be a string.")
        if name not in {INCLUDE, EXTENSIONS, SERVERLESS}:
            raise AwsError("NotImplemented", f"localbus does not implement the transform {name}.")
        found.append((name, one.get("Parameters") if isinstance(one, dict) else None))
    return found


def _without_macros(section: dict[str, Any], declared: tuple[str, ...]) -> dict[str, Any]:
    """A section without the members that are to be replaced by others."""
    prefixes = (_MACRO, "Fn::ForEach::") if EXTENSIONS in declared else (_MACRO,)
    return {name: value for name, value in section.items() if not name.startswith(prefixes)}


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict) or not all(isinstance(key, str) for key in section):
        raise format_error(f"[/{name}] must be an object.")
    return section


def _check_output(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise format_error(f"[/Outputs/{name}] Every Outputs member must be an object.")
    if "Value" not in value:
        raise format_error(f"[/Outputs/{name}] Every Outputs member must contain a Value object")
    unknown = sorted(set(value) - {"Condition", "Description", "Export", "Value"})
    if unknown:
        raise format_error(f"[/Outputs/{name}] Invalid template output property or properties {unknown}")


def _definition(name: str, value: Any) -> Definition:
    where = f"[/Resources/{name}]"
    if not (name.isascii() and name.isalnum()):
        raise format_error(f"Resource name {name} is non alphanumeric.")
    if not isinstance(value, dict):
        raise format_error(f"{where} Every Resources member must be an object.")
    if not isinstance(value.get("Type"), str):
        raise format_error(f"{where} Every Resources object must contain a Type member.")
    unknown = sorted(set(value) - _RESOURCE_KEYS)
    if unknown:
        raise AwsError("ValidationError", f"Invalid template resource property '{unknown[0]}'")
    if not _TYPE.fullmatch(value["Type"]):
        raise format_error(f"Unrecognized resource types: [{value['Type']}]")
    properties = value.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        raise format_error(f"[/Resources/{name}/Properties] Properties must be an object.")
    depends_on = value.get("DependsOn", [])
    if isinstance(depends_on, str):
        depends_on = [depends_on]
    if not isinstance(depends_on, list) or not all(isinstance(one, str) for one in depends_on):
        raise format_error(f"[/Resources/{name}/DependsOn] DependsOn must be a string or a list of strings.")
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        given = value.get(policy, "Delete")
        if isinstance(given, str) and given not in _POLICIES:
            raise format_error(f"Unrecognized {policy} {given} for resource {name}")
    return Definition(
        logical_id=name,
        type=value["Type"],
        properties=properties or {},
        depends_on=tuple(depends_on),
        condition=value.get("Condition"),
        deletion_policy=value.get("DeletionPolicy"),
        update_replace_policy=value.get("UpdateReplacePolicy"),
        extras={key: value[key] for key in ("Metadata", "CreationPolicy", "UpdatePolicy") if key in value},
    )
