"""The catalogue of `make clients` names the versions that are installed, and docs/clients.md names its tools."""

from __future__ import annotations

import re

import pytest
from clients.catalogue import TOOLS, Tool
from clients.installed import HERE

LOCKED = set(re.findall(r"^([a-z0-9-]+)==(\S+)", (HERE / "tools" / "python.lock").read_text(), re.MULTILINE))
PAGE = (HERE.parents[1] / "docs" / "clients.md").read_text()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_of_the_catalogue(tool: Tool) -> None:
    """Its program exists, its versions are those of the lock, and the page has its program and versions."""
    assert (HERE / "tools" / tool.program).is_file()
    assert f"tests/clients/tools/{tool.program}" in PAGE
    for each in () if tool.needs else tool.versions.split(", "):
        name, _, version = each.partition(" ")
        assert f"{name}@{version}" in tool.npm or (name, version) in LOCKED
        assert version in PAGE
