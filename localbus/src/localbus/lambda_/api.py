"""Lambda's API for event source mappings: actions by name, their paths, and the service that the router calls."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial

from localbus.lambda_ import actions
from localbus.lambda_.state import EventSourceMappings
from localbus.lambda_.upstream_lambda import PATH, TAGS_PATH
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params

ACTIONS: dict[str, Callable[[EventSourceMappings, Params, Caller], Awaitable[Params]]] = {
    "CreateEventSourceMapping": actions.create,
    "DeleteEventSourceMapping": actions.delete,
    "GetEventSourceMapping": actions.get,
    "ListEventSourceMappings": actions.list_,
    "ListTags": actions.list_tags,
    "TagResource": actions.tag_resource,
    "UntagResource": actions.untag_resource,
    "UpdateEventSourceMapping": actions.update,
}

# The paths of Lambda's API that are answered here. Every other one is proxied to the upstream.
OUR_PATHS = re.compile(rf"{PATH}(?:/[^/]*)?/?|{TAGS_PATH}/arn:aws[a-z-]*:lambda:[^/]*:event-source-mapping:[^/]+")


def service(mappings: EventSourceMappings) -> Service:
    """Return the actions on event source mappings as a service, for the router and for CloudFormation."""
    return Service(Api("lambda"), {name: partial(action, mappings) for name, action in ACTIONS.items()}, None)
