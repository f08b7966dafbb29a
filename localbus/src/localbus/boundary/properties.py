"""The targets of each sender, read from its properties, which are the same in its own API and in CloudFormation.

Each reader raises AwsError (NotImplemented) for a target to which the upstream never sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localbus.boundary.bucket_notifications import Notification, check
from localbus.boundary.configuration import Configuration, Sender, as_object, not_reached, not_sent
from localbus.boundary.names import Name, names_in
from localbus.boundary.state_machine import read_definition
from localbus.errors import AwsError
from localbus.events.bus import DEFAULT_BUS
from localbus.protocol.service import Caller

_SQS_INTEGRATION = re.compile(r"arn:aws[a-z-]*:apigateway:([a-z0-9-]+):sqs:path/([0-9]{12})/([A-Za-z0-9_.-]+)")
_OTHER_INTEGRATION = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:(?:(?:sns|events):|sqs:action/)\w+|\b(?:SQS|EventBridge)-[A-Z]\w+"
)
_TABLE_INTEGRATION = re.compile(r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:dynamodb:")
_TABLE_RULE = re.compile(r'"dynamo(?:DB|Db)(?:v2)?"\s*:', re.IGNORECASE)
_QUERY_ACTION = re.compile(r"\bAction=(\w+)")
_INVALID = "InvalidParameterValueException"


def read_bucket(
    bucket: str, notifications: list[Notification], caller: Caller, *, to_event_bridge: bool
) -> Configuration:
    """S3: the notifications of a bucket. EventBridge gets events by the default bus.

    The bus has its bridge from then on: a rule that is made later gets the next event.
    """
    check(notifications)
    names = {name for one in notifications for name in names_in(one.target, caller) if name.kind != "events"}
    if to_event_bridge:
        names.add(Name("events", caller.account, caller.region, DEFAULT_BUS))
    functions = {one.target for one in notifications if ":lambda:" in one.target}
    return Configuration(Sender("s3", f"arn:aws:s3:::{bucket}" if bucket else ""), names, functions=functions)


def read_pipe(name: str, given: Mapping[str, Any], caller: Caller) -> Configuration:
    """EventBridge Pipes: the upstream has pipes from table streams only, and tables are here."""
    source = str(given.get("Source", ""))
    service = source.split(":")[2] if source.count(":") >= 5 else ""
    if service == "dynamodb":
        raise not_reached("A pipe from the stream of a table")
    if service:
        raise not_sent(f"A pipe from {service}", "An event source mapping or a rule can take its place.")
    return Configuration(Sender("pipes", f"arn:aws:pipes:{caller.region}:{caller.account}:pipe/{name}"))


def read_dead_letter(function: str, given: Mapping[str, Any], caller: Caller) -> Configuration:
    """Lambda: the DeadLetterConfig of a function."""
    target = _standard(str(given.get("TargetArn", "")), "dead-letter target", caller)
    return _function(function, target, caller, {"dead_letter": target})


def read_invoke_config(
    function: str, given: Mapping[str, Any], caller: Caller, qualifier: str = "$LATEST"
) -> Configuration:
    """Lambda: the destinations of asynchronous invocations, of which the upstream has OnFailure without buses.

    It reads those of the function itself, never those of a version or an alias.
    """
    destinations = as_object(given.get("DestinationConfig"))
    if qualifier != "$LATEST" and any(_destination(destinations, one) for one in ("OnSuccess", "OnFailure")):
        raise not_sent(f"A destination of the version or alias {qualifier}", "Set it on the function itself.")
    if _destination(destinations, "OnSuccess"):
        raise not_sent("The destination OnSuccess of a function", "Send from the function itself.")
    target = _standard(_destination(destinations, "OnFailure"), "destination OnFailure", caller)
    for part, what in ((":events:", "A bus"), (":s3:", "A bucket")):
        if part in target:
            instead = "A queue, a topic or another function is possible."
            raise not_sent(f"{what} as the destination OnFailure of a function", instead)
    found = _function(function, target, caller)
    if ":lambda:" in target:
        if target.partition(":function:")[2].partition(":")[0] == found.sender.arn.rpartition(":")[2]:
            raise AwsError(_INVALID, "You can't specify the function as a destination for itself.")
        found.functions = {target}
    return found


def _destination(destinations: Mapping[str, Any], condition: str) -> str:
    return str(as_object(destinations.get(condition)).get("Destination") or "")


def _standard(target: str, what: str, caller: Caller) -> str:
    """Return a target, unless it is a FIFO queue or topic, which Lambda refuses.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    if any(name.is_fifo for name in names_in(target, caller)):
        reason = "functions send to standard queues and topics only. Name one that is not FIFO."
        raise AwsError(_INVALID, f"The {what} {target} is invalid: {reason}")
    return target


def _function(function: str, target: str, caller: Caller, details: Mapping[str, Any] | None = None) -> Configuration:
    name = function.rpartition(":function:")[2].partition(":")[0]
    arn = f"arn:aws:lambda:{caller.region}:{caller.account}:function:{name}"
    return Configuration(Sender("lambda", arn, details=details or {}), set(names_in(target, caller)))


def read_stream_mapping(given: Mapping[str, Any], caller: Caller) -> Configuration:
    """Lambda: the destination of an event source mapping of a stream, for batches that fail."""
    if ":dynamodb:" in str(given.get("EventSourceArn", "")):
        raise not_reached("An event source mapping of the stream of a table")
    target = _destination(as_object(given.get("DestinationConfig")), "OnFailure")
    _standard(target, "destination OnFailure", caller)
    if ":s3:" in target:
        raise not_sent("A bucket as the destination OnFailure of a mapping", "A queue or a topic is possible.")
    return _function(str(given.get("FunctionName", "")), target, caller)


def read_state_machine(name: str, definition: object, caller: Caller) -> Configuration:
    """Step Functions: the definition of a state machine."""
    arn = name if ":" in name else f"arn:aws:states:{caller.region}:{caller.account}:stateMachine:{name}"
    found = Configuration(Sender("states", arn))
    if isinstance(definition, str):
        read_definition(definition, found, caller)
    return found


def read_method(text: str, caller: Caller) -> Configuration:
    """API Gateway: integrations with a queue, which the upstream serves for SendMessage."""
    other = _OTHER_INTEGRATION.search(text)
    if other:
        instead = "An integration of a REST API with sqs:path/ACCOUNT/QUEUE, or a function, is possible."
        raise not_sent(f"The integration {other[0]} of API Gateway", instead)
    found = Configuration(Sender("apigateway"))
    for region, account, name in _SQS_INTEGRATION.findall(text):
        found.targets.add(Name("sqs", account, region, name))
    for action in _QUERY_ACTION.findall(text) if found.targets else ():
        if action != "SendMessage":
            raise not_sent(f"{action} by an integration of API Gateway", "SendMessage is possible.")
    if _TABLE_INTEGRATION.search(text):
        raise not_reached("An integration of API Gateway with a table")
    return found


def read_topic_rule(name: str, text: str, caller: Caller) -> Configuration:
    """IoT: the actions of a topic rule."""
    if _TABLE_RULE.search(text):
        raise not_reached("A rule of IoT with a table")
    return Configuration(
        Sender("iot", f"arn:aws:iot:{caller.region}:{caller.account}:rule/{name}"), set(names_in(text, caller))
    )


def read_data_source(text: str) -> Configuration:
    """AppSync: a data source."""
    if "AMAZON_DYNAMODB" in text:
        raise not_reached("A table as a data source of AppSync")
    return Configuration(Sender("appsync"))
