"""Templates: how they are read, what their functions come to, and what is refused in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from localbus.cloudformation.plan import Plan, StackContext, make_plan
from localbus.cloudformation.template import template
from localbus.cloudformation.template.intrinsic_functions import NO_VALUE, Unresolved
from localbus.errors import AwsError

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue}}"


class Shop:
    """Resources of which the local ones are known."""

    def ref(self, logical_id: str) -> str | None:
        """A queue has a URL; a table is the upstream's."""
        return None if logical_id == "Table" else f"http://shop/{logical_id}"

    def attribute(self, logical_id: str, name: str) -> str | None:
        """The same of attributes."""
        return None if logical_id == "Table" else f"{logical_id}'s {name}"


def plan(text: str, **parameters: str) -> Plan:
    """The plan of a template in a stack called shop."""
    context = StackContext(
        "shop", "arn:shop", "000000000000", "eu-west-1", (), {"Shared": "of another"}.__getitem__, with_upstream=True
    )
    return make_plan(template.parse(text), parameters, context)


def value_of(expression: str, sections: str = "", **parameters: str) -> Any:
    """What an expression comes to in a template with these sections."""
    text = f"""
{sections}
Resources:
  Queue: {{Type: AWS::SQS::Queue}}
  Table: {{Type: AWS::DynamoDB::Table}}
Outputs:
  Asked: {{Value: {expression}}}
"""
    found = plan(text, **parameters)
    return found.functions(Shop()).resolve(found.template.outputs["Asked"]["Value"])


def refusal(text: str, **parameters: str) -> str:
    """The words in which a template is refused."""
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
        ("!GetAZs ''", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ("[a, !Ref AWS::NoValue, b]", ["a", "b"]),
        ("{kept: 1, gone: !If [IsSmall, !Ref AWS::NoValue, 2]}", {"kept": 1}),
    ],
)
def test_functions(expression: str, value: Any) -> None:
    """Each comes to what the user guide says."""
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
def test_what_the_upstream_is_to_resolve_is_left(expression: str, left: Any) -> None:
    """Only what depends on its own resources stays a function; all around it is a literal."""
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
        ("!Equals [[a], [b]]", False),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    """Conditions compare texts, and build on each other."""
    text = f"""
Parameters: {{Size: {{Type: String, Default: small}}}}
Conditions: {{Base: !Equals [!Ref Size, small], Asked: {condition}}}
{QUEUE}
"""

    assert plan(text).conditions.holds("Asked") is holds


@pytest.mark.parametrize(
    ("definition", "given", "words"),
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
        ("{Type: Number}", "three", "Parameter 'P' must be a number."),
        ("{Type: Number, MaxValue: 5}", "6", "Parameter 'P' must be a number not greater than 5"),
        ("{Type: List<Number>}", "1,two", "Parameter 'P' must be a number."),
        ("{Type: Strange}", "a", "Template format error: Unrecognized parameter type: Strange"),
        ("{Type: String, MinLength: few}", "a", "Template format error: [/Parameters/P] could not convert"),
        ("{Type: String, AllowedPattern: '['}", "a", "Template format error: [/Parameters/P] unterminated"),
    ],
)
def test_parameters_are_checked(definition: str, given: str | None, words: str) -> None:
    """A value that may not be is refused, and so is a constraint that is none."""
    values = {} if given is None else {"P": given}

    assert refusal(f"Parameters: {{P: {definition}}}\n{QUEUE}", **values).startswith(words)


def test_a_list_parameter_is_a_list() -> None:
    """Its Ref has the items without the blanks around them."""
    assert value_of("!Select [1, !Ref P]", "Parameters: {P: {Type: CommaDelimitedList}}", P="a, b ,c") == "b"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Template format error: unsupported structure."),
        ("[1, 2]", "Template format error: unsupported structure."),
        ("Resources: {\n", "Template format error: YAML not well-formed. (line 2, column 1)"),
        ('{"Resources": }', "Template format error: JSON not well-formed. (line 1, column 15)"),
        ("Description: none", "Template format error: At least one Resources member must be defined."),
        (f"Surprise: 1\n{QUEUE}", "Invalid template property or properties [Surprise]"),
        (
            "Resources: {Q: {}}",
            "Template format error: [/Resources/Q] Every Resources object must contain a Type member.",
        ),
        (
            "Resources: {my-q: {Type: AWS::SQS::Queue}}",
            "Template format error: Resource name my-q is non alphanumeric.",
        ),
        ("Resources: {Q: {Type: Queue}}", "Template format error: Unrecognized resource types: [Queue]"),
        (
            "Resources: {Q: {Type: AWS::SQS::Kyu}}",
            "Template format error: Unrecognized resource types: [AWS::SQS::Kyu]",
        ),
        ("Resources: {Q: {Type: AWS::SQS::Queue, Property: 1}}", "Invalid template resource property 'Property'"),
        (
            "Resources: {Q: &q {Type: AWS::SQS::Queue}, R: *q}",
            "Template format error: YAML aliases are not allowed in CloudFormation templates",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue}, Q: {Type: AWS::SNS::Topic}}",
            "Template format error: YAML not well-formed. (line 1: duplicate key Q)",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue, DependsOn: Nobody}}",
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            f"{QUEUE}\nOutputs: {{O: {{Value: !Ref Nobody}}}}",
            "Template format error: Unresolved resource dependencies [Nobody] in the Outputs block of the template",
        ),
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
            "Template format error: Unresolved condition dependency Never in the Conditions block of the template",
        ),
        (
            "Conditions: {A: !Condition B, B: !Condition A}\n" + QUEUE,
            "Circular dependency between conditions: [A, B]",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}, B: {Type: AWS::SNS::Topic, DependsOn: A}, "
            "C: {Type: AWS::SNS::Topic, DependsOn: B}}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Conditions: {Never: !Equals [a, b]}\nResources: {A: {Type: AWS::SNS::Topic, Condition: Never}, "
            "B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}}",
            "Template format error: Unresolved resource dependencies [A] in the Resources block of the template",
        ),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    """A template that is wrong is refused before anything is made, in CloudFormation's words."""
    assert refusal(text) == words


@pytest.mark.parametrize("section", ["Transform: AWS::Serverless-2016-10-31", "Rules: {R: {}}"])
def test_what_is_known_but_not_built(section: str) -> None:
    """It is said so, not passed over."""
    with pytest.raises(AwsError) as raised:
        plan(f"{section}\n{QUEUE}")

    assert raised.value.code == "NotImplemented"


def test_json_says_the_same() -> None:
    """A template in JSON, with its functions in their long form, is no other template."""
    document = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "AWS::StackName"}}}}
    }
    short = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref AWS::StackName}}}"

    assert plan(json.dumps(document)).fingerprint() == plan(short).fingerprint()


_WORDS = st.sampled_from(
    [
        "Ref",
        "Fn::Sub",
        "Fn::GetAtt",
        "Fn::If",
        "Fn::Join",
        "Fn::Select",
        "Queue",
        "Arn",
        "Queue.Arn",
        "${Queue}",
        "P",
        "C",
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


@given(_SECTIONS, _VALUES)
def test_whatever_a_template_says_it_is_read_or_refused(sections: dict[str, Any], properties: Any) -> None:
    """No template makes the engine stumble: it is planned, or refused with an error of AWS's."""
    resource = {"Type": "AWS::SQS::Queue", "Properties": properties}
    text = json.dumps(sections | {"Resources": {"Queue": resource}})

    try:
        plan(text).outputs(Shop())
    except AwsError as exc:
        refused = exc.code
    else:
        refused = ""
    assert refused in {"", "ValidationError", "NotImplemented"}


@given(st.text(max_size=60))
def test_whatever_a_text_is_it_is_read_or_refused(text: str) -> None:
    """The same of texts that are no templates."""
    try:
        template.parse(text)
    except AwsError as exc:
        refused = exc.code
    else:
        refused = ""
    assert refused in {"", "ValidationError", "NotImplemented"}
