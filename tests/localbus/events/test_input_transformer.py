"""Inputs of targets (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.errors import AwsError
from localbus.events.event import Event, compact
from localbus.events.input_transformer import InvalidInputError, compile_input, find_path, parse_path

RULE_ARN = "arn:aws:events:us-east-1:123456789012:rule/bus/example"
EVENT = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2015-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {
        "instance-id": "i-0123456789",
        "state": "RUNNING",
        "cpus": 4,
        "spot": False,
        "tags": [{"k": "a"}, {"k": "b"}],
    },
}
PATHS = {
    "instance": "$.detail.instance-id",
    "state": "$.detail.state",
    "cpus": "$.detail.cpus",
    "spot": "$.detail.spot",
    "tags": "$.detail.tags",
    "first": "$.detail.tags[0].k",
    "keys": "$.detail.tags[*].k",
    "missing": "$.detail.nothing",
}


def made(event: dict[str, Any] | None = None, **target: Any) -> str:
    """Build the input of a target."""
    return compile_input({"Id": "t", **target})(Event(event or EVENT, 1_700_000_000), RULE_ARN)


def transformed(template: str, paths: dict[str, str] | None = None) -> str:
    """Build the input from a template."""
    return made(InputTransformer={"InputTemplate": template, "InputPathsMap": PATHS if paths is None else paths})


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # the table of the page
        ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
        ('"instance \\"<instance>\\" is in <state>"', '"instance \\"i-0123456789\\" is in RUNNING"'),
        ('{\n  "instance" : <instance>,\n  "state": <state>\n}', '{"instance":"i-0123456789","state":"RUNNING"}'),
        (
            '{"instance": <instance>, "state": "<state>", "status": "instance \\"<instance>\\" is in <state>"}',
            '{"instance":"i-0123456789","state":"RUNNING","status":"instance \\"i-0123456789\\" is in RUNNING"}',
        ),
        (
            '{"instance": <instance>, "state": [9, <state>, true], "Transformed": "Yes"}',
            '{"instance":"i-0123456789","state":[9,"RUNNING",true],"Transformed":"Yes"}',
        ),
        (
            '{"ruleArn": <aws.events.rule-arn>, "ruleName": <aws.events.rule-name>}',
            f'{{"ruleArn":"{RULE_ARN}","ruleName":"example"}}',
        ),
        ('"<aws.events.rule-name> triggered"', '"example triggered"'),
        ('"at <aws.events.event.ingestion-time>"', '"at 2023-11-14T22:13:20Z"'),
        # values that are not strings
        ('{"cpus": <cpus>, "spot": <spot>, "tags": <tags>}', '{"cpus":4,"spot":false,"tags":[{"k":"a"},{"k":"b"}]}'),
        ('"<cpus> <spot> <first>"', '"4 false a"'),
        ('{"keys": <keys>}', '{"keys":["a","b"]}'),
        ('"<keys> of <tags>"', '"[a,b] of [{k:a},{k:b}]"'),
        # "a variable to match a JSON path that doesn't exist" is empty
        ('"what is <missing>?"', '"what is ?"'),
        ('{"what": <missing>}', '{"what":""}'),
        # a variable alone, and what looks like one only at first sight
        ("<tags>", '[{"k":"a"},{"k":"b"}]'),
        ('{"less": "1 < 2 > 0"}', '{"less":"1 < 2 > 0"}'),
        # several lines of text are passed on as they are
        ('"<instance>"\n"<state>"', '"i-0123456789"\n"RUNNING"'),
    ],
)
def test_a_template_becomes_the_input(template: str, expected: str) -> None:
    """Variables become JSON, and within quotes the text of the value."""
    assert transformed(template) == expected


@pytest.mark.parametrize(
    "template",
    ['{"say": "<tags>"}', ' {"say": "it is <tags>", "tags": <tags>}', '{"say": "<keys>"}', '{"say": <tags> <cpus>}'],
)
def test_a_broken_object_template_has_no_input(template: str) -> None:
    """A list or object within quotes breaks an object template (recorded: nothing is delivered)."""
    with pytest.raises(InvalidInputError):
        transformed(template)


def test_a_string_with_quotes_breaks_an_object_template() -> None:
    """API_InputTransformer.html: values in an object must not include quote marks."""
    event = {**EVENT, "detail": {"x": 'a "b"'}}

    with pytest.raises(InvalidInputError):
        made(event, InputTransformer={"InputTemplate": '{"x": "<x>"}', "InputPathsMap": {"x": "$.detail.x"}})


def test_the_reserved_variables_for_the_whole_event() -> None:
    """`event` has no detail and names the detail type differently; `event.json` is complete."""
    body = json.loads(transformed('{"short": <aws.events.event>, "whole": <aws.events.event.json>}'))

    assert body["whole"] == EVENT
    assert "detail" not in body["short"]
    assert body["short"]["detailType"] == EVENT["detail-type"]
    assert body["short"]["id"] == EVENT["id"]


def test_the_default_input_is_the_event() -> None:
    """As JSON without spaces."""
    assert made() == compact(EVENT)


def test_a_constant_is_passed_unchanged() -> None:
    """Input (API_Target.html)."""
    assert made(Input='{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", compact(EVENT)),
        ("$.detail.tags", '[{"k":"a"},{"k":"b"}]'),
        ("$.detail.state", '"RUNNING"'),
        ("$['detail'][\"cpus\"]", "4"),
        ("$.detail.tags[1].k", '"b"'),
        ("$.resources[0]", '"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"'),
        ("$.nothing", "null"),
    ],
)
def test_a_path_selects_a_part_of_the_event(path: str, expected: str) -> None:
    """InputPath gives its value as JSON (API_Target.html)."""
    assert made(InputPath=path) == expected


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"Input": "{}", "InputPath": "$"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        *(({"Input": text}, "Input for target t is not a valid JSON text.") for text in ("{", "NaN", "[1e400]")),
        ({"InputPath": "detail"}, "Invalid InputPath for target t."),
        (
            {"InputTransformer": {"InputTemplate": '"<notdefinedkey>"'}},
            "InputTemplate for target t contains invalid placeholder notdefinedkey.",
        ),
        (
            {"InputTransformer": {"InputTemplate": '"x"', "InputPathsMap": {"aws.x": "$.id"}}},
            "InputPathsMap for target t must not start with AWS: aws.x.",
        ),
    ],
)
def test_an_invalid_input_is_rejected(target: dict[str, Any], message: str) -> None:
    """By PutTargets (API_PutTargets.html)."""
    with pytest.raises(AwsError) as raised:
        made(**target)

    assert (raised.value.code, raised.value.message) == ("ValidationException", message)


@given(st.text(max_size=30))
def test_a_value_outside_quotes_is_escaped(value: str) -> None:
    """Any string then gives valid JSON."""
    event = {**EVENT, "detail": {"x": value}}

    body = made(event, InputTransformer={"InputTemplate": '{"x": <x>}', "InputPathsMap": {"x": "$.detail.x"}})

    assert json.loads(body) == {"x": value}


@given(st.text("$.[]*'\"ab0", max_size=12))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    """A valid path finds a value or the default; an invalid one is None."""
    steps = parse_path(text)

    assert steps is None or json.dumps(find_path({"a": [{"b": 1}], "b": None}, steps, "default"))
