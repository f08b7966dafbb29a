"""The members of AWS's actions that name a topic, queue or bus, derived from botocore's models.

    python tests/localbus/boundary/never_sent_members.py

writes the table that the boundary reads. A member counts by its name or by its documentation. Left out are the services
of localbus, those whose requests the boundary reads itself, and the actions whose messages the upstream sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from localbus.boundary.never_sent import TABLE

_READ_BY_THEIR_OWN = ["apigateway", "apigatewayv2", "cloudwatch", "lambda", "pipes", "s3", "scheduler", "stepfunctions"]
_OF_LOCALBUS = ["cloudformation", "eventbridgev2", "events", "sns", "sqs"]
_SENT = {("ses", "SetIdentityNotificationTopic"), ("iot", "CreateTopicRule"), ("iot", "ReplaceTopicRule")}
_NAMES = re.compile(r"sns|sqs|(topic|queue|bus)_?(arn|url)|notification_?(arn|target)|alert_?target", re.IGNORECASE)
_DOCUMENTED = re.compile(
    r"(sns|notification service)\)?[^.]{0,30} topic|(sqs|queue service)\)?[^.]{0,30} queue"
    r"|(topic|queue) in amazon s[nq]s",
    re.IGNORECASE,
)
_CHANGES = re.compile(r"(?!Get|List|Describe|Delete|Tag|Untag|Search|BatchGet|Detach|Disassociate)")


def derive(*services: str) -> dict[str, dict[str, list[str]]]:
    """Return the members by the signing name of services, by default all, and by action, or by method and path."""
    loader, found = Loader(), dict[str, dict[str, list[str]]]()
    every = services or loader.list_available_services("service-2")
    for service in sorted(set(every) - set(_READ_BY_THEIR_OWN) - set(_OF_LOCALBUS)):
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        for name in model.operation_names:
            if not _CHANGES.match(name) or (service, name) in _SENT:
                continue
            operation = model.operation_model(name)
            members = {member for member, text in _texts(operation.input_shape) if _counts(member, text)}
            if members:
                actions = found.setdefault(model.signing_name, {})
                key = _key(operation, model.metadata["protocol"])
                actions[key] = sorted(members | set(actions.get(key, ())))
    return found


def _key(operation: OperationModel, protocol: str) -> str:
    if protocol != "rest-json":
        return str(operation.name)
    path = operation.http["requestUri"].partition("?")[0]
    return f"{operation.http['method']} {re.sub(r'{[^}]*}', '{}', path)}"


def _counts(member: str, documentation: str) -> bool:
    text = re.sub("<[^>]+>", "", documentation)
    return "role" not in member.lower() and bool(_NAMES.search(member) or _DOCUMENTED.search(text))


def _texts(shape: Any, above: frozenset[str] = frozenset(), member: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name on the wire and the documentation of each text in an input, at any depth."""
    match shape.type_name if shape is not None else "":
        case "structure" if shape.name not in above:
            for name, inner in shape.members.items():
                yield from _texts(inner, above | {shape.name}, inner.serialization.get("name") or name)
        case "list":
            yield from _texts(shape.member, above, member)
        case "map":
            yield from _texts(shape.value, above, member)
        case "string" if not shape.enum:
            yield member, shape.documentation or ""


def as_text(table: dict[str, dict[str, list[str]]]) -> str:
    """Return the table as JSON with a line for each action."""
    services = []
    for service, actions in sorted(table.items()):
        lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(actions[key])}" for key in sorted(actions))
        services.append(f"  {json.dumps(service)}: {{\n{lines}\n  }}")
    return "{\n" + ",\n".join(services) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(as_text(derive()))
