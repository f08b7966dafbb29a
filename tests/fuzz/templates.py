"""Templates with one odd node: each is planned, rolled back or refused in CloudFormation's words.

A fault is a server error, a resource that fails for the reason "Internal Failure", and a Python repr in an answer.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from localbus.clock import ManualClock
from localbus.cloudformation.api import service
from localbus.engine import Engine, Options
from localbus.errors import AwsError
from localbus.protocol.service import Caller

_REPR = re.compile(r"<localbus|object at 0x|NoneType|\bNone\b|\{'|\['|Internal Failure|Traceback")
_QUEUE_ARN = {"Fn::GetAtt": ["Queue", "Arn"]}
TEMPLATE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "A shop",
    "Metadata": {"owner": "shop"},
    "Parameters": {
        "Size": {"Type": "Number", "Default": 5, "MinValue": 1, "AllowedValues": [5, 6]},
        "Names": {"Type": "CommaDelimitedList", "Default": "a,b", "AllowedPattern": "[a-z]+", "MaxLength": 9},
    },
    "Mappings": {"Sizes": {"small": {"delay": "5", "list": ["a", "b"]}}},
    "Conditions": {
        "Big": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Size"}, "6"]}]},
        "Both": {"Fn::And": [{"Condition": "Big"}, {"Fn::Or": [{"Condition": "Big"}, {"Fn::Equals": ["a", "b"]}]}]},
    },
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "DependsOn": ["Dlq"],
            "DeletionPolicy": "Delete",
            "Properties": {
                "DelaySeconds": {"Fn::FindInMap": ["Sizes", "small", "delay"]},
                "VisibilityTimeout": {"Fn::If": ["Big", {"Ref": "Size"}, {"Ref": "AWS::NoValue"}]},
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": "Dlq.Arn"}, "maxReceiveCount": 3},
                "Tags": [{"Key": "k", "Value": {"Fn::Select": [0, {"Ref": "Names"}]}}],
            },
        },
        "Dlq": {"Type": "AWS::SQS::Queue", "Condition": "Both"},
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "DisplayName": {"Fn::Sub": ["${A}-${AWS::Region}", {"A": {"Fn::Join": ["-", {"Ref": "Names"}]}}]},
                "Subscription": [{"Protocol": "sqs", "Endpoint": _QUEUE_ARN}],
            },
        },
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": _QUEUE_ARN}]
                },
            },
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Fn::Select": [1, ["a", "shop"]]}}},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": [{"Fn::Base64": "shop"}]},
                "Targets": [{"Id": "t", "Arn": _QUEUE_ARN, "RetryPolicy": {"MaximumRetryAttempts": 1}}],
            },
        },
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": 3},
        },
    },
    "Outputs": {
        "Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-url"}}},
        "Part": {"Value": {"Fn::Select": [0, {"Fn::Split": ["-", "a-b"]}]}, "Description": "a", "Condition": "Big"},
    },
}


def _nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"Fn::Join": ["", [value]]}
    return value


def _each(function: str, *arguments: Any) -> list[Any]:
    return [{function: argument} for argument in arguments]


_NOTHING = {"Ref": "AWS::NoValue"}
ODD: list[Any] = [
    *(None, True, -1, 1.5, 2**70, "", "x", "²", "${ ", "${!a}${b.c}", "a.b.c", [], {}, [[]], [None], {"": {}}),
    *_each("Ref", "Queue", "Names", "Missing", "AWS::NoValue", "AWS::NotificationARNs", 5, []),
    *_each("Fn::GetAtt", "Queue.Arn", "Queue", ["Queue", {"Ref": "Names"}], ["Bus", "Tags"], {}, 5),
    *_each("Fn::Sub", "${AWS::NoValue}", ["${A}", {"A": {"Ref": "Names"}}], ["${A}", []], {}),
    *_each("Fn::If", ["Big", "a"], ["No", 1, 2], ["Big", _NOTHING, 1], [{}, 1, 2], 5),
    *_each("Fn::Join", ["", "x"], [{}, []], ["", [{"a": 1}]], _NOTHING),
    *_each("Fn::Select", ["9", ["a"]], [{}, []], ["0", _NOTHING]),
    *_each("Fn::FindInMap", ["Sizes", "small", "list"], ["Sizes", [], "x"], [[[]], {}, 5]),
    *_each("Fn::ImportValue", "none", {}),
    *({"Fn::Split": ["", "a"]}, {"Fn::Base64": []}, {"Fn::GetAZs": {}}, {"Fn::Cidr": []}, {"Fn::Foo": 1}),
    *({"Condition": "Big"}, {"Fn::Transform": {}}, _nested(50), _nested(150)),
]


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(item, (*path, key))


def _with(path: tuple[str | int, ...], odd: Any) -> dict[str, Any]:
    template = deepcopy(TEMPLATE)
    inner: Any = template
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = odd
    return template


async def _faults_of(template: dict[str, Any], *, by_change_set: bool) -> list[str]:
    """The faults in the answer to a stack of this template, or to a change to it, and in its events and outputs."""
    engine = Engine(Options(), ManualClock())
    actions, caller = service(engine.stacks), Caller()

    async def call(action: str, **given: Any) -> Any:
        answer = actions.call(actions.api.operation(action), given, caller)
        return await answer if asyncio.iscoroutine(answer) else answer

    try:
        shown = []
        for body in (TEMPLATE, template) if by_change_set else (template,):
            if body is TEMPLATE or not by_change_set:
                await call("CreateStack", StackName="shop", TemplateBody=json.dumps(body))
            else:
                given = {"StackName": "shop", "ChangeSetName": "c"}
                await call("CreateChangeSet", TemplateBody=json.dumps(body), **given)
                shown += [await call("DescribeChangeSet", IncludePropertyValues=one, **given) for one in (False, True)]
                await call("ExecuteChangeSet", **given)
            stack = engine.stacks.stacks.find("shop", caller)
            if stack.task is not None:
                await stack.task
        shown += [await call(action, StackName="shop") for action in ("DescribeStacks", "DescribeStackEvents")]
        text = "\n".join(_texts(shown))
    except AwsError as exc:
        text = exc.message
    except Exception as exc:  # noqa: BLE001 (any other error would be answered with status 500)
        return [f"{type(exc).__name__}: {exc}"]
    finally:
        await engine.stop()
    return (
        [f"the answer has {found[0]!r}: {text[max(0, found.start() - 80) : found.end() + 80]}"]
        if (found := _REPR.search(text))
        else []
    )


def _texts(value: Any) -> Iterator[str]:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)
    if isinstance(value, str):
        yield value


def run(seed: int, count: int) -> list[str]:
    """Try `count` templates; return a text for each fault."""
    cases = [(path, odd) for path in _paths(TEMPLATE) for odd in ODD]
    rng = random.Random(seed)
    chosen = rng.sample(cases, min(count, len(cases)))

    async def run_all() -> list[str]:
        faults = []
        for path, odd in chosen:
            where = "/".join(map(str, path))
            found = await _faults_of(_with(path, odd), by_change_set=rng.random() < 0.5)
            faults += [f"{where} = {json.dumps(odd)[:200]}: {fault}" for fault in found]
        return faults

    return asyncio.run(run_all())
