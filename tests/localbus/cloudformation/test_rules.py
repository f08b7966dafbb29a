"""The Rules section: assertions on parameters.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.cloudformation import StackClient

PARAMETERS = {
    "Size": {"Type": "String", "Default": "small"},
    "Names": {"Type": "CommaDelimitedList", "Default": "a,b"},
    "First": {"Type": "AWS::EC2::VPC::Id", "Default": "vpc-1"},
    "Second": {"Type": "AWS::EC2::VPC::Id", "Default": "vpc-2"},
}
SIZE, NAMES = {"Ref": "Size"}, {"Ref": "Names"}


def template(rule: Any) -> str:
    """A template with one rule."""
    return json.dumps(
        {"Parameters": PARAMETERS, "Rules": {"Rule": rule}, "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    )


def asserting(expression: Any, **more: Any) -> str:
    """A template whose one assertion is an expression."""
    return template({"Assertions": [{"Assert": expression, "AssertDescription": "It must hold"}], **more})


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"Fn::Equals": [SIZE, "small"]}, True),
        ({"Fn::Not": [{"Fn::Equals": [SIZE, "small"]}]}, False),
        ({"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Contains": [["x"], "y"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Contains": [["x", SIZE], "small"]}]}, True),
        ({"Fn::Contains": [NAMES, "b"]}, True),
        ({"Fn::Contains": [["1", "2"], SIZE]}, False),
        ({"Fn::EachMemberEquals": [NAMES, "a"]}, False),
        ({"Fn::EachMemberEquals": [["small", SIZE], "small"]}, True),
        ({"Fn::EachMemberIn": [NAMES, ["a", "b", "c"]]}, True),
        ({"Fn::EachMemberIn": [{"Fn::RefAll": "AWS::EC2::VPC::Id"}, ["vpc-1"]]}, False),
        ({"Fn::EachMemberIn": [{"Fn::RefAll": "AWS::EC2::VPC::Id"}, ["vpc-1", "vpc-2"]]}, True),
        ({"Fn::Contains": [["us-east-1"], {"Ref": "AWS::Region"}]}, True),
    ],
)
def test_a_stack_is_created_if_its_assertions_hold(stacks: StackClient, expression: Any, holds: bool) -> None:
    """Otherwise it is refused with the assertion's description, and does not exist."""
    if holds:
        assert stacks.create(asserting(expression)) == "CREATE_COMPLETE"
    else:
        assert stacks.rejected(TemplateBody=asserting(expression)) == ("ValidationError", "It must hold")
        assert stacks.client.describe_stacks()["Stacks"] == []


def test_a_rule_counts_if_its_condition_holds(stacks: StackClient) -> None:
    """An update and a change set whose parameters make the condition true are refused; all failed ones are named."""
    rule = asserting({"Fn::Contains": [["x"], "y"]}, RuleCondition={"Fn::Equals": [SIZE, "large"]})
    assert stacks.create(rule) == "CREATE_COMPLETE"
    large: Any = {"TemplateBody": rule, "Parameters": [{"ParameterKey": "Size", "ParameterValue": "large"}]}

    assert stacks.rejected("update_stack", **large) == ("ValidationError", "It must hold")
    assert stacks.rejected("create_change_set", ChangeSetName="c", **large) == ("ValidationError", "It must hold")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"RuleCondition": True}, "[/Rules/Rule] Every Rules object must contain an Assertions list."),
        ({"Assertions": [{}]}, "[/Rules/Rule/Assertions] Every assertion must contain an Assert member."),
        (
            {"Assertions": [{"Assert": {"Fn::Equals": [{"Fn::If": ["C", "a", "b"]}, "a"]}}]},
            "Following functions are not supported in the Rules block of the template: [Fn::If]",
        ),
        (
            {"Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "Queue"}, "a"]}}]},
            "Unresolved dependencies [Queue]. Cannot reference resources in the Rules block",
        ),
    ],
)
def test_rules_are_validated(stacks: StackClient, rule: Any, message: str) -> None:
    """A rule without assertions, with another function or with a reference to a resource is a format error.

    For the functions: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/921
    """
    found = stacks.rejected(TemplateBody=template(rule))
    assert found == ("ValidationError", f"Template format error: {message}")


@pytest.mark.parametrize("expression", [True, {"Ref": "Size"}, {"Fn::Contains": ["a", "a"]}, {"Fn::Contains": [["a"]]}])
def test_an_expression_without_a_truth_value_is_refused(stacks: StackClient, expression: Any) -> None:
    """Neither a literal nor a parameter, nor a function with the wrong arguments, counts as true or false."""
    assert stacks.rejected(TemplateBody=asserting(expression))[0] == "ValidationError"


def test_attributes_of_resources_are_refused(stacks: StackClient) -> None:
    """Fn::ValueOf and Fn::ValueOfAll read EC2, which localbus does not do."""
    code, message = stacks.rejected(TemplateBody=asserting({"Fn::Equals": [{"Fn::ValueOf": ["First", "VpcId"]}, "x"]}))
    assert code == "NotImplemented"
    assert "Fn::ValueOf" in message
