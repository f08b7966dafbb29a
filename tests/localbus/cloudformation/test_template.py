"""Templates: parsing, parameters, conditions, functions and the errors of invalid ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.cloudformation.plan import Plan, StackContext, make_plan
from localbus.cloudformation.template import template
from localbus.cloudformation.template.intrinsic_functions import NO_VALUE, Unresolved, sub_variables
from localbus.errors import AwsError

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue}}"
FORMAT = "Template format error: "
UNRESOLVED = (FORMAT + "Unresolved resource dependencies [{}] in the {} block of the template").format


class Shop:
    """Resources with known local values."""

    def ref(self, logical_id: str) -> str | None:
        """The value of a local resource; None for the upstream's table."""
        return None if logical_id == "Table" else f"http://shop/{logical_id}"

    def attribute(self, logical_id: str, name: str) -> str | None:
        """The same for attributes."""
        return None if logical_id == "Table" else f"{logical_id}'s {name}"


def plan(text: str, **parameters: str) -> Plan:
    """The plan of a template in a stack called shop."""

    async def unresolved(value: Any) -> Any:
        return value

    exports = {"Shared": "of another"}.__getitem__
    context = StackContext("shop", "arn:shop", "000000000000", "eu-west-1", (), exports, unresolved, with_upstream=True)
    return make_plan(template.parse(text), parameters, context)


def value_of(expression: str, sections: str = "", **parameters: str) -> Any:
    """The value of an expression in a template with these sections."""
    text = f"""
{sections}
Resources:
  Queue: {{Type: AWS::SQS::Queue}}
  Table: {{Type: AWS::DynamoDB::Table}}
  Topic: {{Type: AWS::SNS::Topic, Properties: {{DisplayName: {expression}}}}}
"""
    found = plan(text, **parameters)
    return found.functions(Shop()).resolve(found.template.resources["Topic"].properties["DisplayName"])


def error_of(text: str, **parameters: str) -> str:
    """The error message for a template."""
    with pytest.raises(AwsError) as raised:
        plan(text, **parameters)
    assert raised.value.code == "ValidationError"
    return raised.value.message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Ref Queue", "http://shop/Queue"),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref AWS::NoValue", NO_VALUE),
        ("!GetAtt Queue.Arn", "Queue's Arn"),
        ("{'Fn::GetAtt': [Queue, Arn]}", "Queue's Arn"),
        ('!Sub "${AWS::StackName}-${Queue.Arn}-${!Kept}"', "shop-Queue's Arn-${Kept}"),
        ('!Sub ["${Own} ${Queue}", {Own: mine}]', "mine http://shop/Queue"),
        ("!Join [':', [a, !Ref AWS::AccountId, 5, true]]", "a:000000000000:5:true"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['0', !Split [':', 'https://x']]", "https"),
        ("!Base64 text", "dGV4dA=="),
        ("!FindInMap [Sizes, small, Cups]", 3),
        ("!If [IsSmall, yes, no]", True),
        ("!ImportValue Shared", "of another"),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!Cidr [10.1.0.0/24, '1']", ["10.1.0.0/24"]),
        ("!GetAZs ''", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ("[a, !Ref AWS::NoValue, b]", ["a", "b"]),
        ("{kept: 1, gone: !If [IsSmall, !Ref AWS::NoValue, 2]}", {"kept": 1}),
    ],
)
def test_functions(expression: str, value: Any) -> None:
    """Each function has the value of the user guide."""
    sections = "Mappings: {Sizes: {small: {Cups: 3}}}\nConditions: {IsSmall: !Equals [a, a]}"

    assert value_of(expression, sections) == value


@pytest.mark.parametrize(
    ("expression", "left"),
    [
        ("!Ref Table", {"Ref": "Table"}),
        ("!GetAtt Table.Arn", {"Fn::GetAtt": ["Table", "Arn"]}),
        (
            '!Sub "${Queue}/${Table.Arn}/*"',
            {"Fn::Join": ["", ["", "http://shop/Queue", "/", {"Fn::GetAtt": ["Table", "Arn"]}, "/*"]]},
        ),
        ("!Select [0, !Split [':', !Ref Table]]", {"Fn::Select": [0, {"Fn::Split": [":", {"Ref": "Table"}]}]}),
        ("!Base64 {Ref: Table}", {"Fn::Base64": {"Ref": "Table"}}),
    ],
)
def test_references_to_upstream_resources_stay_unresolved(expression: str, left: Any) -> None:
    """Only functions that depend on upstream resources stay; everything around them is a literal."""
    found = value_of(expression)

    assert isinstance(found, Unresolved)
    assert found == left


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("!Equals [!Ref Size, small]", True),
        ("!Not [!Condition Base]", False),
        ("!And [!Condition Base, !Equals [1, '1']]", True),
        ("!Or [!Equals [a, b], !Condition Base]", True),
        ("!Equals [true, 'true']", True),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    """Conditions compare texts and refer to each other."""
    text = f"""
Parameters: {{Size: {{Type: String, Default: small}}}}
Conditions: {{Base: !Equals [!Ref Size, small], Result: {condition}}}
{QUEUE}
"""

    assert plan(text).conditions.holds("Result") is holds


@pytest.mark.parametrize(
    ("definition", "given", "message"),
    [
        ("{Type: String}", None, "Parameters: [P] must have values"),
        ("{Type: String, AllowedValues: [a, b]}", "c", "Parameter 'P' must be one of AllowedValues: [a, b]"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "A", "Parameter 'P' must match pattern [a-z]+"),
        (
            "{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: must be small}",
            "A",
            "Parameter 'P' failed to satisfy constraint: must be small",
        ),
        ("{Type: String, MinLength: 2}", "a", "Parameter 'P' must contain at least 2 characters"),
        ("{Type: String, MaxLength: '2'}", "abc", "Parameter 'P' must contain at most 2 characters"),
        *(
            ("{Type: Number}", text, "Parameter 'P' must be a number.")
            for text in ("three", "1_000", "NaN", "-inf", " 1", "٣")
        ),
        ("{Type: Number, MaxValue: 5}", "6", "Parameter 'P' must be a number not greater than 5"),
        ("{Type: List<Number>}", "1,two", "Parameter 'P' must be a number."),
        ("{Type: Strange}", "a", "Template format error: Unrecognized parameter type: Strange"),
        ("{Type: String, MinLength: few}", "a", "Template format error: [/Parameters/P] few is not a number"),
        ("{Type: String, AllowedPattern: '['}", "a", "Template format error: [/Parameters/P] unterminated"),
    ],
)
def test_parameters_are_checked(definition: str, given: str | None, message: str) -> None:
    """Invalid values and invalid constraints are rejected."""
    values = {} if given is None else {"P": given}

    assert error_of(f"Parameters: {{P: {definition}}}\n{QUEUE}", **values).startswith(message)


def test_a_list_parameter_is_a_list() -> None:
    """Its Ref has the items without surrounding spaces."""
    assert value_of("!Select [1, !Ref P]", "Parameters: {P: {Type: CommaDelimitedList}}", P="a, b ,c") == "b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", FORMAT + "unsupported structure."),
        ("[1, 2]", FORMAT + "unsupported structure."),
        ("Resources: {\n", FORMAT + "YAML not well-formed. (line 2, column 1)"),
        ('{"Resources": }', FORMAT + "JSON not well-formed. (line 1, column 16)"),
        ("Description: none", FORMAT + "At least one Resources member must be defined."),
        (f"Surprise: 1\n{QUEUE}", "Invalid template property or properties [Surprise]"),
        ("Resources: {Q: {}}", FORMAT + "[/Resources/Q] Every Resources object must contain a Type member."),
        ("Resources: {my-q: {Type: AWS::SQS::Queue}}", FORMAT + "Resource name my-q is non alphanumeric."),
        ("Resources: {Q: {Type: Queue}}", FORMAT + "Unrecognized resource types: [Queue]"),
        ("Resources: {Q: {Type: AWS::SQS::Kyu}}", FORMAT + "Unrecognized resource types: [AWS::SQS::Kyu]"),
        ("Resources: {Q: {Type: AWS::SQS::Queue, Property: 1}}", "Invalid template resource property 'Property'"),
        (
            "Resources: {Q: &q {Type: AWS::SQS::Queue}, R: *q}",
            FORMAT + "YAML aliases are not allowed in CloudFormation templates",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue}, Q: {Type: AWS::SNS::Topic}}",
            FORMAT + "YAML not well-formed. (line 1: duplicate key Q)",
        ),
        ("Resources: {Q: {Type: AWS::SQS::Queue, DependsOn: Nobody}}", UNRESOLVED("Nobody", "Resources")),
        (f"{QUEUE}\nOutputs: {{O: {{Value: !Ref Nobody}}}}", UNRESOLVED("Nobody", "Outputs")),
        (
            f"{QUEUE}\nOutputs: {{O: {{Value: !GetAtt Nobody.Arn}}}}",
            "Template error: instance of Fn::GetAtt references undefined resource Nobody",
        ),
        (
            f"{QUEUE}\nOutputs: {{O: {{Value: !GetAtt Queue.Length}}}}",
            "Template error: resource Queue does not support attribute type Length in Fn::GetAtt",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue, Condition: Never}}",
            FORMAT + "Unresolved condition dependency Never in the Conditions block of the template",
        ),
        ("Conditions: {A: !Condition B, B: !Condition A}\n" + QUEUE, "Circular dependency between conditions: [A, B]"),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, DependsOn: A}, "
            "C: {Type: AWS::SNS::Topic, DependsOn: B}}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Conditions: {Never: !Equals [a, b]}\nResources: {A: {Type: AWS::SNS::Topic, Condition: Never}, "
            "B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}}",
            UNRESOLVED("A", "Resources"),
        ),
    ],
)
def test_invalid_templates_are_rejected(text: str, message: str) -> None:
    """An invalid template is rejected before anything is created, with CloudFormation's message."""
    assert error_of(text) == message


def test_json_and_yaml_are_equivalent() -> None:
    """JSON with the long forms of functions gives the same plan."""
    document = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "AWS::StackName"}}}}
    }
    short = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref AWS::StackName}}}"

    assert plan(json.dumps(document)).fingerprint() == plan(short).fingerprint()


_WORDS = st.sampled_from(
    [
        *("Ref", "Fn::Sub", "Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Select"),
        *("Queue", "Arn", "Queue.Arn", "${Queue}", "P", "C"),
    ]
) | st.text(max_size=3)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=12,
)
_SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "Parameters": _VALUES | st.fixed_dictionaries({"P": _VALUES}),
        "Conditions": _VALUES | st.fixed_dictionaries({"C": _VALUES}),
        "Mappings": _VALUES,
        "Outputs": st.fixed_dictionaries({"O": st.fixed_dictionaries({"Value": _VALUES}) | _VALUES}),
    },
)


def error_code(action: Callable[[], object]) -> str:
    """The code of the AwsError that an action raises; empty without one."""
    try:
        action()
    except AwsError as exc:
        return exc.code
    return ""


@given(_SECTIONS, _VALUES)
def test_any_template_is_planned_or_rejected(sections: dict[str, Any], properties: Any) -> None:
    """No template causes another error than AWS's."""
    resource = {"Type": "AWS::SQS::Queue", "Properties": properties}
    text = json.dumps(sections | {"Resources": {"Queue": resource}})

    assert error_code(lambda: plan(text).outputs(Shop())) in {"", "ValidationError", "NotImplemented"}


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    """No text causes another error than AWS's."""
    assert error_code(lambda: template.parse(text)) in {"", "ValidationError", "NotImplemented"}


def test_the_variables_of_a_text() -> None:
    """`${Name}` is a variable; `${!Name}` is not."""
    assert [found[1] for found in sub_variables("a ${A}${B.Arn} ${!C} ${} $ { D } ${E")] == ["A", "B.Arn"]


def test_unclosed_braces_take_no_time() -> None:
    """The search for variables is linear in the text."""
    started = time.process_time()

    assert list(sub_variables("${" * 200_000)) == []

    assert time.process_time() - started < 1
