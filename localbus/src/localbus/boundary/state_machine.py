"""The queues, topics and buses to which a state machine sends, read from its definition.

A name that the definition computes (`QueueUrl.$`, JSONata) can come from anywhere: an input, a table, a function. Then
every queue (topic, bus) of the account and region can be the target.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html and its neighbours for SNS and EventBridge
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from localbus.boundary.configuration import Configuration, not_reached, not_sent
from localbus.boundary.names import KINDS, Kind, Name, names_in
from localbus.protocol.service import Caller

_INTEGRATION = re.compile(r"arn:aws[a-z-]*:states:::(aws-sdk:)?(sqs|sns|events|eventbridge):(\w+)")
_TABLE = re.compile(r"arn:aws[a-z-]*:states:::((?:aws-sdk:)?dynamodb:\w+)")
_CONFIGURATION = re.compile(r"arn:aws[a-z-]*:states:::(aws-sdk:(?:cloudwatch|lambda|sfn):\w+)")
# Actions of the upstream's services that are out of localbus's sight, if the definition has this text.
_CONFIGURES: Mapping[str, str] = {
    "aws-sdk:cloudwatch:putCompositeAlarm": "",
    "aws-sdk:cloudwatch:putMetricAlarm": "",
    "aws-sdk:cloudwatch:putMetricData": "",
    "aws-sdk:lambda:createFunction": "DeadLetterConfig",
    "aws-sdk:lambda:updateFunctionConfiguration": "DeadLetterConfig",
    "aws-sdk:sfn:createStateMachine": "",
    "aws-sdk:sfn:updateStateMachine": "",
}
_NOT_PASSED_BY_PUBLISH = ("PhoneNumber", "MessageStructure", "MessageAttributes")
_SENDS: Mapping[str, Kind] = {"sendMessage": "sqs", "publish": "sns", "putEvents": "events"}


def read_definition(text: str, found: Configuration, caller: Caller) -> None:
    """Add the targets of a definition. Raises AwsError (NotImplemented) for a state that would reach no message."""
    table = _TABLE.search(text)
    if table is not None:
        raise not_reached(f"Step Functions' {table[1]}")
    for call in _CONFIGURATION.findall(text):
        if call in _CONFIGURES and _CONFIGURES[call] in text:
            raise not_sent(f"Step Functions' {call}", "Call this action from a function.")
    for sdk, service, action in _INTEGRATION.findall(text):
        if action not in _SENDS:
            call = f"{'aws-sdk:' if sdk else ''}{service}:{action}"
            raise not_sent(f"Step Functions' {call}", "Call this action from a function.")
    if _INTEGRATION.search(text) is None:
        return
    try:
        states = list(_integrations(json.loads(text)))
    except (ValueError, RecursionError):  # the upstream completes it, such as a definition in S3
        found.targets.update(names_in(text, caller))
        found.all_of.update(KINDS)
        return
    for kind, arguments in states:
        _add_targets(kind, arguments, found, caller)


def _integrations(node: Any) -> Iterator[tuple[Kind, Mapping[str, Any]]]:
    """Yield kind and arguments of each state that sends."""
    if isinstance(node, list):
        for item in node:
            yield from _integrations(item)
    if not isinstance(node, dict):
        return
    resource = node.get("Resource")
    matched = _INTEGRATION.match(resource) if isinstance(resource, str) else None
    if matched:
        arguments = node.get("Parameters", node.get("Arguments", {}))
        yield _SENDS[matched[3]], arguments if isinstance(arguments, dict) else {}
        return
    for value in node.values():
        yield from _integrations(value)


def _add_targets(kind: Kind, arguments: Mapping[str, Any], found: Configuration, caller: Caller) -> None:
    if kind == "events":
        _add_buses(arguments.get("Entries"), found, caller)
        return
    for unsupported in _NOT_PASSED_BY_PUBLISH if kind == "sns" else ():
        if unsupported in arguments or f"{unsupported}.$" in arguments:
            raise not_sent(f"Step Functions' sns:publish with {unsupported}", "Publish from a function.")
    given = arguments.get("QueueUrl") if kind == "sqs" else arguments.get("TopicArn", arguments.get("TargetArn"))
    names = [one for one in names_in(given, caller) if one.kind == kind] if isinstance(given, str) else []
    if names:
        found.targets.update(names)
    else:
        found.all_of.add(kind)


def _add_buses(entries: Any, found: Configuration, caller: Caller) -> None:
    if not isinstance(entries, list):
        found.all_of.add("events")
        return
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        given = entry.get("EventBusName", "" if "EventBusName.$" in entry else "default")
        name = next(names_in(given, caller), None) if isinstance(given, str) else None
        if name is not None:
            found.targets.add(name)
        elif isinstance(given, str) and re.fullmatch(r"[A-Za-z0-9_./-]+", given):
            found.targets.add(Name("events", caller.account, caller.region, given))
        else:
            found.all_of.add("events")
