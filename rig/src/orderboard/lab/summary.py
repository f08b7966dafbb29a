"""A call in a few words, for the timeline: SendMessage "flat white"; ReceiveMessage: 1 message, "flat white"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from orderboard.lab.steps import Call

# The parameters by which a reader recognizes a call, the first one that is there.
_TELLING: Final = (
    *("MessageBody", "Message", "Entries", "QueueName", "TopicName", "Name", "RuleName", "Rule", "ArchiveName"),
    *("ReplayName", "FunctionName", "TableName", "VisibilityTimeout", "Attributes", "AttributeName", "Endpoint"),
)
_LONGEST: Final = 60


def action(call: Call) -> str:
    """The name of AWS's action: SendMessage."""
    return "".join(part.capitalize() for part in call.operation.split("_"))


def summary(call: Call, parameters: Mapping[str, Any], response: Mapping[str, Any] | None) -> str:
    """Return the action, its main parameter, and the messages or failures of its response."""
    receives = call.operation == "receive_message"
    about = next((short(parameters[name]) for name in _TELLING if name in parameters and not receives), "")
    text = f"{action(call)} {about}".rstrip()
    if response is None:
        return text
    if receives:
        messages = response.get("Messages", [])
        bodies = ", ".join(short(each["Body"]) for each in messages)
        return f"{text}: {len(messages)} message{'' if len(messages) == 1 else 's'}{': ' if bodies else ''}{bodies}"
    failed = response.get("Failed") or response.get("FailedEntryCount")
    return f"{text}: {short(failed)} failed" if failed else text


def short(value: Any) -> str:
    """Return a value in at most sixty characters."""
    match value:
        case str():
            text = value
        case list() if value and isinstance(value[0], Mapping):
            text = f"{len(value)} entries" if len(value) > 1 else "1 entry"
        case _:
            text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
