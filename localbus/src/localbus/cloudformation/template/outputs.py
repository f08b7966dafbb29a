"""A template's outputs and the names of their exports.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localbus.cloudformation.template.intrinsic_functions import NO_VALUE, Functions, Unresolved
from localbus.cloudformation.template.parser import as_text, format_error
from localbus.cloudformation.template.template import export_error
from localbus.protocol.service_model import Params

_EXPORT_NAME = re.compile(r"[A-Za-z0-9:-]+")


def check(outputs: Mapping[str, Any], functions: Functions) -> None:
    """Raise AwsError for a value that is not text, and for export names that are not valid or not unique.

    `functions` know no resources.
    """
    names = []
    for name, one in outputs.items():
        _text(functions.resolve(one["Value"]))
        if one.get("Export"):
            names.append(_export_name(name, one["Export"]["Name"], functions))
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        found = f"The Outputs section contains duplicate Export names: [{', '.join(repeated)}]."
        raise format_error(f"{found} Specify a unique name for each export.")


def described(outputs: Mapping[str, Any], functions: Functions) -> list[Params]:
    """The outputs as DescribeStacks returns them. Raises AwsError."""
    found = []
    for name, one in outputs.items():
        shown: Params = {"OutputKey": name, "OutputValue": _text(functions.resolve(one["Value"]))}
        if one.get("Description"):
            shown["Description"] = as_text(one["Description"])
        if one.get("Export"):
            shown["ExportName"] = as_text(functions.resolve(one["Export"]["Name"]))
        found.append(shown)
    return found


def _text(value: Any) -> str:
    if value is NO_VALUE or (isinstance(value, list | dict) and not isinstance(value, Unresolved)):
        found = " and not a List" if isinstance(value, list) else " and not a Map" if isinstance(value, dict) else ""
        raise format_error(f"The Value field of every Outputs member must evaluate to a String{found}.")
    return as_text(value)


def _export_name(output: str, name: Any, functions: Functions) -> str:
    found = replace(functions, import_value=lambda _: None).resolve(name)
    if isinstance(found, Unresolved | list):
        rule = "The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs."
        raise format_error(f"Output {output} is malformed. {rule}")
    if not isinstance(found, str | int) or not _EXPORT_NAME.fullmatch(as_text(found)):
        raise export_error(output)
    return as_text(found)
