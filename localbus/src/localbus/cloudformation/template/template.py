"""A template's sections, validated in form. `intrinsic_functions` resolves their functions.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localbus.cloudformation.template import rules
from localbus.cloudformation.template.parser import format_error, read, template_error
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
# Each section of named members: the singular in its errors, and the most members that it may have.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_NAMED = {
    "Conditions": ("Condition", None),
    "Mappings": ("Mapping", 200),
    "Outputs": ("Output", 200),
    "Parameters": ("Parameter", 200),
    "Resources": ("Resource", 500),
    "Rules": ("Rule", None),
}
_MAX_NAME_LENGTH = 255
_MAX_DESCRIPTION_BYTES = 1024
VERSION = "2010-09-09"
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
_POLICIES = {
    "DeletionPolicy": ("deletion policy", {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}),
    "UpdateReplacePolicy": ("update replace policy", {"Delete", "Retain", "Snapshot"}),
}
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
_WITH_SNAPSHOTS = {
    "AWS::DocDB::DBCluster",
    "AWS::EC2::Volume",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
}


@dataclass(frozen=True)
class Definition:
    """A resource in the template, its functions not yet resolved."""

    logical_id: str
    type: str
    properties: Any  # an object, or a function that returns one
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: Any = None
    update_replace_policy: Any = None
    extras: Mapping[str, Any] = field(default_factory=dict)  # Metadata, CreationPolicy, UpdatePolicy

    def attribute(self, name: str) -> Any:
        """An attribute beside the type and the properties; None if it is not set."""
        policies = {"DeletionPolicy": self.deletion_policy, "UpdateReplacePolicy": self.update_replace_policy}
        return policies.get(name, self.extras.get(name))


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
    sections = {name: _section(document, name) for name in _NAMED}
    rules.check_form(sections["Rules"])
    if transforms is None:
        sections = {name: _without_macros(section, declared) for name, section in sections.items()}
    for name, section in sections.items():
        _check_names(name, section)
    if not sections["Resources"] and not declared:
        raise format_error("At least one Resources member must be defined.")
    for name, value in sections["Outputs"].items():
        _check_output(name, value)
    for name, value in sections["Mappings"].items():
        _check_mapping(name, value)
    if not isinstance(document.get("Metadata", {}), dict):
        raise format_error("Any Metadata member must be an object.")
    if document.get("AWSTemplateFormatVersion", VERSION) != VERSION:
        raise format_error("unsupported value for AWSTemplateFormatVersion.")
    return Template(
        text=text,
        resources={name: _definition(name, value) for name, value in sections["Resources"].items()},
        parameters=sections["Parameters"],
        mappings=sections["Mappings"],
        conditions=sections["Conditions"],
        outputs=sections["Outputs"],
        rules=sections["Rules"],
        description=_description(document.get("Description", "")),
        metadata=document.get("Metadata"),
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
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise format_error(f"Any {name} member must be an object.")
    return section


def _check_names(name: str, section: Mapping[str, Any]) -> None:
    """Check the number and the names of a section's members."""
    singular, most = _NAMED[name]
    if most is not None and len(section) > most:
        count = f"Number of {name.lower()}, {len(section)}, is greater than maximum allowed, {most}"
        raise format_error(count)
    for key in section:
        if not (key.isascii() and key.isalnum()) and name != "Conditions":  # recorded: AWS takes any name of these
            raise format_error(f"{singular} name {key} is non alphanumeric.")
        if len(key) > _MAX_NAME_LENGTH:
            raise format_error(f"{singular} name {key} is longer than {_MAX_NAME_LENGTH} characters.")


def _description(given: Any) -> str:
    if not isinstance(given, str):
        raise format_error("Every Description member must be a string.")
    if len(given.encode("utf-8", "replace")) > _MAX_DESCRIPTION_BYTES:
        raise format_error(f"'Description' length is greater than {_MAX_DESCRIPTION_BYTES}.")
    return given


def _check_output(name: str, value: Any) -> None:
    if not isinstance(value, dict) or "Value" not in value:
        raise format_error("Every Outputs member must contain a Value object")
    unknown = sorted(set(value) - {"Condition", "Description", "Export", "Value"})
    if unknown:
        where = f"[/Outputs/{name}]"
        raise format_error(f"{where} Invalid template output property or properties [{', '.join(unknown)}]")
    _description(value.get("Description", ""))
    if not isinstance(value.get("Export", {}), dict) or "Name" not in value.get("Export", {"Name": ""}):
        raise export_error(name)


def export_error(output: str) -> AwsError:
    """The error for an output whose export has no name or an invalid one."""
    rule = "The Name field of every Export member must be specified and consist only of alphanumeric characters, "
    return format_error(f"Output {output} is malformed. {rule}colons, or hyphens.")


def _check_mapping(name: str, value: Any) -> None:
    """Check that a mapping has two levels of keys, and then text or lists."""
    for key, attributes in {name: value, **(value if isinstance(value, dict) else {})}.items():
        if not isinstance(attributes, dict):
            raise format_error(f"Every Mappings member {key} must be a map")
    for attributes in value.values():
        for one in attributes.values():
            if isinstance(one, dict) or (isinstance(one, list) and any(isinstance(item, dict | list) for item in one)):
                raise format_error("Every Mappings attribute must be a String or a List.")


def _definition(name: str, value: Any) -> Definition:
    where = f"[/Resources/{name}]"
    if not isinstance(value, dict):
        raise format_error(f"{where} Every Resources member must be an object.")
    if not isinstance(value.get("Type"), str):
        raise format_error(f"{where} Every Resources object must contain a Type member.")
    unknown = sorted(set(value) - _RESOURCE_KEYS)
    if unknown:
        raise AwsError("ValidationError", f"Invalid template resource property '{unknown[0]}'")
    if not _TYPE.fullmatch(value["Type"]):
        raise format_error(f"Unrecognized resource types: [{value['Type']}]")
    properties = value.get("Properties", {})
    if not isinstance(properties, dict):
        raise format_error(f"[/Resources/{name}/Properties] Properties must be an object.")
    depends_on = value.get("DependsOn", [])
    if isinstance(depends_on, str):
        depends_on = [depends_on]
    if not isinstance(depends_on, list) or not all(isinstance(one, str) for one in depends_on):
        raise format_error("Every DependsOn value must be a string.")
    if not isinstance(value.get("Condition", ""), str):
        raise format_error(f"{where} Every Condition member must be a string.")
    for policy in _POLICIES:
        if not isinstance(value.get(policy, {}), dict):  # the value of a function is checked with the plan
            check_policy(name, value["Type"], policy, value[policy])
    return Definition(
        logical_id=name,
        type=value["Type"],
        properties=properties,
        depends_on=tuple(depends_on),
        condition=value.get("Condition"),
        deletion_policy=value.get("DeletionPolicy"),
        update_replace_policy=value.get("UpdateReplacePolicy"),
        extras={key: value[key] for key in ("Metadata", "CreationPolicy", "UpdatePolicy") if key in value},
    )


def check_policy(name: str, type_name: str, policy: str, given: Any) -> None:
    """Raise AwsError for a deletion policy or an update replace policy that the resource cannot have."""
    if not isinstance(given, str):
        raise format_error(f"Every {policy} member must be a string.")
    words, allowed = _POLICIES[policy]
    if given not in allowed:
        raise format_error(f"Unrecognized {policy} {given} for resource {name}")
    if given == "Snapshot" and type_name not in _WITH_SNAPSHOTS:
        raise template_error(f"resource type {type_name} does not support {words} {given}")
