"""Senders among the resources of a template that the upstream deploys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from localbus.boundary import properties
from localbus.boundary.bucket_notifications import read_properties
from localbus.boundary.configuration import Configuration
from localbus.boundary.never_sent import check_resource
from localbus.boundary.schedules import read_schedule
from localbus.protocol.service import Caller

_Properties = Mapping[str, Any]
_Reader = Callable[[_Properties, Caller], Configuration]


def senders_in(resources: Mapping[str, Any], caller: Caller) -> Iterator[Configuration]:
    """Yield the configuration of each sender. Raises AwsError (NotImplemented) for what the upstream never sends."""
    for resource in resources.values():
        kind, given = resource.get("Type", ""), resource.get("Properties")
        if not isinstance(given, dict):
            continue
        read = _READERS.get(kind)
        if read is None:
            check_resource(kind, given, caller)
        else:
            yield read(given, caller)


def _bucket(given: _Properties, caller: Caller) -> Configuration:
    configuration = given.get("NotificationConfiguration")
    to_event_bridge = isinstance(configuration, dict) and "EventBridgeConfiguration" in configuration
    notifications = read_properties(configuration)
    return properties.read_bucket(_name(given, "BucketName"), notifications, caller, to_event_bridge=to_event_bridge)


def _state_machine(given: _Properties, caller: Caller) -> Configuration:
    """Read a definition: an object, a text with substitutions, or one that refers to the upstream's resources."""
    definition = given.get("DefinitionString", given.get("Definition", given.get("DefinitionS3Location")))
    text = definition if isinstance(definition, str) else json.dumps(definition)
    for name, value in (given.get("DefinitionSubstitutions") or {}).items():
        text = text.replace(f"${{{name}}}", value if isinstance(value, str) else "unknown")
    if "DefinitionS3Location" in given:
        text = f"arn:aws:states:::sqs:sendMessage {text}"  # it may send to anything
    elif isinstance(definition, dict) and "Fn::Join" in definition:
        text = _joined(definition["Fn::Join"])
    return properties.read_state_machine(_name(given, "StateMachineName"), text, caller)


def _joined(join: Any) -> str:
    """Return the text of a Join, with a placeholder for each reference to a resource of the upstream."""
    separator, parts = join
    return str(separator).join(part if isinstance(part, str) else "unknown" for part in parts)


def _name(given: _Properties, key: str) -> str:
    name = given.get(key)
    return name if isinstance(name, str) else ""


_READERS: Final[Mapping[str, _Reader]] = {
    "AWS::ApiGateway::Method": lambda given, caller: properties.read_method(json.dumps(given), caller),
    "AWS::ApiGateway::RestApi": lambda given, caller: properties.read_method(json.dumps(given), caller),
    "AWS::AppSync::DataSource": lambda given, _caller: properties.read_data_source(json.dumps(given)),
    "AWS::IoT::TopicRule": lambda given, caller: properties.read_topic_rule(
        _name(given, "RuleName"), json.dumps(given), caller
    ),
    "AWS::Lambda::EventInvokeConfig": lambda given, caller: properties.read_invoke_config(
        _name(given, "FunctionName"), given, caller, str(given.get("Qualifier", "$LATEST"))
    ),
    "AWS::Lambda::Function": lambda given, caller: properties.read_dead_letter(
        _name(given, "FunctionName"), given.get("DeadLetterConfig") or {}, caller
    ),
    "AWS::Pipes::Pipe": lambda given, caller: properties.read_pipe(_name(given, "Name"), given, caller),
    "AWS::S3::Bucket": _bucket,
    "AWS::Scheduler::Schedule": lambda given, caller: read_schedule(_name(given, "Name"), given, caller),
    "AWS::StepFunctions::StateMachine": _state_machine,
}
