"""Requests by which services of the upstream are configured to send, read on their way through.

`reader_of` finds the reader by service, method and path; a request without one passes unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from urllib.parse import unquote_plus

from localbus.boundary.bucket_notifications import read_xml
from localbus.boundary.configuration import Configuration, Sender, not_sent, read_object
from localbus.boundary.names import names_in
from localbus.boundary.never_sent import action_of, check_request
from localbus.boundary.properties import (
    read_bucket,
    read_data_source,
    read_dead_letter,
    read_invoke_config,
    read_method,
    read_pipe,
    read_state_machine,
    read_topic_rule,
)
from localbus.boundary.schedules import read_schedule
from localbus.boundary.templates import senders_in
from localbus.http.message import Request
from localbus.protocol.service import Caller

Reader = Callable[[Request, Caller], Configuration]

_CREATE_FUNCTION = re.compile(r"/2015-03-31/functions/?")
_FUNCTION_CONFIGURATION = re.compile(r"/2015-03-31/functions/[^/]+/configuration")
_INVOKE_CONFIG = re.compile(r"/2019-09-25/functions/[^/]+/event-invoke-config")
# A function's code, up to 70 MB in the same body, is not parsed.
_DEAD_LETTER = re.compile(r'"DeadLetterConfig"\s*:\s*(\{[^}]*\})')
_FUNCTION_NAME = re.compile(r'"FunctionName"\s*:\s*"([^"]+)"')
_OF_LOCALBUS = re.compile(r"AWS::(SQS|SNS|Events)::")


def reader_of(request: Request, service: str | None) -> Reader | None:
    """Return the reader of a request that the credentials assign to a service."""
    if request.method not in {"POST", "PUT", "PATCH"}:
        return None
    action = action_of(request, service)
    if service is not None and action is not None:
        return partial(_never_sent, service, action)
    if service in {None, "s3"}:
        return _bucket if request.method == "PUT" and "notification" in request.query else None
    if service == "lambda":
        return _function_reader(request.path)
    return _READERS.get(service or "")


def _function_reader(path: str) -> Reader | None:
    if _CREATE_FUNCTION.fullmatch(path) or _FUNCTION_CONFIGURATION.fullmatch(path):
        return _function
    return _invoke_config if _INVOKE_CONFIG.fullmatch(path) else None


def _bucket(request: Request, caller: Caller) -> Configuration:
    first = request.path.strip("/").partition("/")[0]
    bucket = first or request.header(b"host").partition(".")[0]
    text = request.body.decode(errors="replace")
    return read_bucket(bucket, read_xml(text), caller, to_event_bridge="EventBridgeConfiguration" in text)


def _function(request: Request, caller: Caller) -> Configuration:
    text = request.body.decode("latin-1")
    name = _FUNCTION_NAME.search(text)
    parts = request.path.split("/")
    function = name[1] if name else parts[3] if len(parts) > 3 else ""
    found = _DEAD_LETTER.search(text)
    return read_dead_letter(function, read_object(found[1]) if found else {}, caller)


def _invoke_config(request: Request, caller: Caller) -> Configuration:
    qualifier = request.query.get("Qualifier", "$LATEST")
    return read_invoke_config(request.path.split("/")[3], read_object(request.body), caller, qualifier)


def _schedule(request: Request, caller: Caller) -> Configuration:
    return read_schedule(request.path.rpartition("/")[2], read_object(request.body), caller)


def _pipe(request: Request, caller: Caller) -> Configuration:
    return read_pipe(request.path.rpartition("/")[2], read_object(request.body), caller)


def _state_machine(request: Request, caller: Caller) -> Configuration:
    given = read_object(request.body)
    return read_state_machine(given.get("name") or given.get("stateMachineArn") or "", given.get("definition"), caller)


def _topic_rule(request: Request, caller: Caller) -> Configuration:
    return read_topic_rule(request.path.rpartition("/")[2], _text(request), caller)


def _data_source(request: Request, _caller: Caller) -> Configuration:
    return read_data_source(_text(request))


def _identity(request: Request, caller: Caller) -> Configuration:
    return Configuration(Sender("ses"), set(names_in(_text(request), caller)))


def _resource(request: Request, caller: Caller) -> Configuration:
    """Read a resource that Cloud Control creates: its state has the properties of a template's resource."""
    given = read_object(request.body)
    kind = str(given.get("TypeName", ""))
    if _OF_LOCALBUS.match(kind):
        raise not_sent(f"{kind} by Cloud Control", "Create it by its own service or by CloudFormation.")
    document = read_object(str(given.get("DesiredState") or ""))
    found = list(senders_in({kind: {"Type": kind, "Properties": document}}, caller))
    patch = str(given.get("PatchDocument", "")).replace("\\/", "/")
    if any(names_in(patch, caller)):
        raise not_sent(f"A change of {kind} by Cloud Control", "Change it by its own service or by CloudFormation.")
    return found[0] if found else Configuration(Sender("cloudcontrol"))


def _never_sent(service: str, action: str, request: Request, caller: Caller) -> Configuration:
    check_request(request, service, action, caller)
    return Configuration(Sender(service))


def _method(request: Request, caller: Caller) -> Configuration:
    return read_method(_text(request), caller)


_READERS: Final[Mapping[str, Reader]] = {
    "apigateway": _method,
    "appsync": _data_source,
    "cloudcontrolapi": _resource,
    "iot": _topic_rule,
    "pipes": _pipe,
    "scheduler": _schedule,
    "ses": _identity,
    "states": _state_machine,
}


def _text(request: Request) -> str:
    """Return the body as text, a form decoded."""
    if request.is_form:
        return unquote_plus(request.body.decode("latin-1"))
    return request.body.decode(errors="replace").replace("\\/", "/")
