"""Topics, queues and buses in actions of services whose messages the upstream never sends: refused.

The table beside this module has the members of each such action; a test derives it from botocore's models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from localbus.boundary.configuration import not_sent, read_object
from localbus.boundary.names import names_in
from localbus.http.message import Request
from localbus.protocol.service import Caller

TABLE: Final = Path(__file__).with_name("never_sent.json")
_SERVICES_IN_TEMPLATES: Final = {"docdb": "rds", "neptune": "rds"}


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = json.loads(TABLE.read_text())
    return table


@cache
def _paths(service: str) -> list[tuple[re.Pattern[str], str]]:
    """Return the pattern of each action of a REST service that is found by method and path."""
    keys = [key for key in _table()[service] if " " in key]
    return [(re.compile(re.escape(key).replace(r"\{\}", "[^/]+") + "/?"), key) for key in keys]


@cache
def _members_in_templates(service: str) -> frozenset[str]:
    name = _SERVICES_IN_TEMPLATES.get(service.lower(), service.lower())
    found = next((actions for key, actions in _table().items() if key.replace("-", "") == name), {})
    return frozenset(member.lower() for members in found.values() for member in members)


def action_of(request: Request, service: str | None) -> str | None:
    """Return the action of a request if it can name a target to which nothing is sent. It reads the body of forms."""
    actions = _table().get(service or "")
    if service is None or actions is None:
        return None
    action = request.header(b"x-amz-target").rpartition(".")[2] or (
        request.form.get("Action") if request.is_form else ""
    )
    if action:
        return action if action in actions else None
    called = f"{request.method} {request.path}"
    return next((key for pattern, key in _paths(service) if pattern.fullmatch(called)), None)


def check_request(request: Request, service: str, action: str, caller: Caller) -> None:
    """Raise AwsError (NotImplemented) for a request that names a topic, queue or bus."""
    members = {member.lower() for member in _table()[service][action]}
    texts = _of_form(request.form, members) if request.is_form else _of_document(read_object(request.body), members)
    _check(f"{service} {action}", texts, caller)


def check_resource(kind: str, properties: Mapping[str, Any], caller: Caller) -> None:
    """Raise AwsError (NotImplemented) for a resource of a template that names one."""
    service = kind.split("::")[1] if kind.count("::") == 2 else ""
    _check(kind, _of_document(properties, _members_in_templates(service)), caller)


def _check(what: str, texts: Iterator[tuple[str, str]], caller: Caller) -> None:
    for member, text in texts:
        is_name = member.lower().endswith("topicname") and text != ""  # CloudTrail takes a topic's name as well
        if is_name or any(names_in(text, caller)):
            raise not_sent(f"{what} with {member} {text}", f"Leave {member} out, or use real AWS (--backend aws).")


def _of_form(form: Mapping[str, str], members: Collection[str]) -> Iterator[tuple[str, str]]:
    for key, value in form.items():
        named = [part for part in key.split(".") if part.lower() in members]
        if named:
            yield named[-1], value


def _of_document(node: Any, members: Collection[str], member: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text of these members in a JSON document, also in a list."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _of_document(value, members, name if name.lower() in members else "")
    elif isinstance(node, list):
        for value in node:
            yield from _of_document(value, members, member)
    elif isinstance(node, str) and member:
        yield member, node
