"""Templates that CloudFormation refuses, with its messages.

Source: AWS's answers as recorded by public test suites, and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient

QUEUE: dict[str, Any] = {"Q": {"Type": "AWS::SQS::Queue"}}
ARN = "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/51af3dc0-da77-11e4-872e-1234567db123"
SELECT = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
EXPORT = (
    "Output O0 is malformed. The Name field of every Export member must be specified and consist only of alphanumeric"
)
EXPORT_OF_RESOURCE = (
    "Output O0 is malformed. The Name field of Export must not depend on any resources, imported values, or Fn::GetAZs."
)
GET_ATT = "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"


def display(value: Any, **more: Any) -> dict[str, Any]:
    """A template whose topic has this display name."""
    return {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": value}}}, **more}


def queue(**more: Any) -> dict[str, Any]:
    """A template with a queue that has these attributes."""
    return {"Resources": {"Q": {**QUEUE["Q"], **more}}}


def output(value: Any) -> dict[str, Any]:
    """A template with a queue and an output of this value."""
    return {"Resources": QUEUE, "Outputs": {"O": {"Value": value}}}


def exports(*names: Any) -> dict[str, Any]:
    """A template with a queue and outputs with these export names."""
    outputs = {f"O{place}": {"Value": "v", "Export": {"Name": name}} for place, name in enumerate(names)}
    return {"Resources": QUEUE, "Outputs": outputs}


def parameter(**definition: Any) -> dict[str, Any]:
    """A template with a queue and this parameter."""
    return {"Parameters": {"P": {"Type": "String", "Default": "d", **definition}}, "Resources": QUEUE}


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"Resources": QUEUE, "Outputs": {"O": {"Value": None}}}, "[/Outputs/O/Value] 'null' values are not allowed"),
        ({"Resources": QUEUE, "Outputs": None}, "[/Outputs] 'null' values are not allowed in templates"),
        (display(["a", None]), "[/Resources/T/Properties/DisplayName/1] 'null' values are not allowed in templates"),
        ({"Resources": QUEUE, "Metadata": {"a": {"b": None}}}, "[/Metadata/a/b] 'null' values are not allowed"),
        ({"Resources": ""}, "Template format error: Any Resources member must be an object."),
        ({"Resources": {}}, "Template format error: At least one Resources member must be defined."),
        ({"Resources": QUEUE, "Outputs": {"O": {}}}, "Every Outputs member must contain a Value object"),
        ({"Resources": QUEUE, "Mappings": {"M": {"A": "x"}}}, "Every Mappings member A must be a map"),
        (
            {"Resources": QUEUE, "Mappings": {"M": {"A": {"b": {"c": "d"}}}}},
            "Every Mappings attribute must be a String or a List.",
        ),
        ({"Resources": {"AWS::NoValue": QUEUE["Q"]}}, "Resource name AWS::NoValue is non alphanumeric."),
        ({"Resources": QUEUE, "Parameters": {"AWS::NoValue": {}}}, "Parameter name AWS::NoValue is non alphanumeric."),
        ({"Resources": QUEUE, "Description": "x" * 1025}, "'Description' length is greater than 1024."),
        ({"Resources": QUEUE, "Description": ["x"]}, "Every Description member must be a string."),
        (
            {"Resources": QUEUE, "AWSTemplateFormatVersion": "2011-09-09"},
            "unsupported value for AWSTemplateFormatVersion",
        ),
        ({"Resources": {f"Q{n}": QUEUE["Q"] for n in range(501)}}, "Number of resources, 501, is greater than maximum"),
        ({"Resources": {"Q": QUEUE["Q"] | {"DependsOn": {"Ref": "Q"}}}}, "Every DependsOn value must be a string."),
        ({"Resources": {"Q": QUEUE["Q"] | {"Properties": 5}}}, "Properties must be an object."),
        (display({"Fn::Select": ["-1", ["a"]]}), SELECT),
        (display({"Fn::Select": ["²", ["a"]]}), SELECT),
        (display({"Fn::Select": ["x", ["a"]]}), SELECT),
        (display({"Fn::Select": ["0", "a"]}), SELECT),
        (
            display({"Fn::Split": ["a"]}),
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2)",
        ),
        (display({"Fn::Join": ["", {"Ref": "AWS::NoValue"}]}), "every Fn::Join object requires two parameters, (1)"),
        (
            {"Resources": QUEUE, "Outputs": {"O": {"Value": {"Fn::GetAtt": ["Q", {"Ref": "AWS::NotificationARNs"}]}}}},
            GET_ATT,
        ),
        (display({"Fn::GetAtt": "T"}), GET_ATT),
        (display({"Fn::If": ["Missing", "a", "b"]}), "unresolved condition dependency Missing in Fn::If"),
        (display({"Fn::Unknown": "a"}), "Encountered unsupported function: Fn::Unknown Supported functions are: ["),
        (display({"Ref": ["T"]}), "every Ref object must have a single String value."),
        (display({"Fn::Base64": {"Ref": "AWS::NoValue"}}), "every Fn::Base64 object must have a String-typed value."),
        (
            display({"Fn::Sub": "${AWS::NoValue}"}),
            "variable AWS::NoValue in Fn::Sub expression does not resolve to a string",
        ),
        (
            display({"Fn::Sub": ["${A}", {"A": {"Ref": "AWS::NoValue"}}]}),
            "variable A in Fn::Sub expression does not resolve to a string",
        ),
        (display({"Fn::Sub": "${a b}"}), "variable names in Fn::Sub syntax must contain only alphanumeric characters"),
        (
            display("a", Conditions={"C": {"Fn::Equals": ["a"]}}),
            "Template error: every Fn::Equals object requires a list of 2 string parameters.",
        ),
        (
            display("a", Conditions={"C": {"Fn::Equals": [{"Ref": "AWS::NoValue"}, "a"]}}),
            "Template error: every Fn::Equals object requires a list of 2 string parameters.",
        ),
        (display("a", Conditions={"C": "yes"}), "Conditions can only be boolean operations on parameters and other"),
        (
            queue(DeletionPolicy="Snapshot"),
            "Template error: resource type AWS::SQS::Queue does not support deletion policy Snapshot",
        ),
        (queue(UpdateReplacePolicy="Snapshot"), "resource type AWS::SQS::Queue does not support update replace policy"),
        (
            queue(DeletionPolicy={"Ref": "AWS::Region"}),
            "Template format error: Unrecognized DeletionPolicy us-east-1 for resource Q",
        ),
        (
            queue(UpdateReplacePolicy={"Ref": "AWS::NotificationARNs"}),
            "Template format error: Every UpdateReplacePolicy member must be a string.",
        ),
        (queue(DeletionPolicy={"Fn::If": "Big"}), "Fn::If requires a list argument with three elements"),
        (queue(UpdateReplacePolicy=["Retain"]), "Every UpdateReplacePolicy member must be a string."),
        (queue(DeletionPolicy="retain"), "Template format error: Unrecognized DeletionPolicy retain for resource Q"),
        (
            output({"Ref": "AWS::NoValue"}),
            "Template format error: The Value field of every Outputs member must evaluate to a String.",
        ),
        (
            output({"Ref": "AWS::NotificationARNs"}),
            "The Value field of every Outputs member must evaluate to a String and not a List.",
        ),
        (output({"k": "v"}), "The Value field of every Outputs member must evaluate to a String and not a Map."),
        (
            exports("same", "same"),
            "The Outputs section contains duplicate Export names: [same]. Specify a unique name for each export.",
        ),
        (exports("a b"), EXPORT),
        (exports(""), EXPORT),
        (exports({"Ref": "AWS::NoValue"}), EXPORT),
        (exports({"Fn::Sub": "${Q.Arn}"}), EXPORT_OF_RESOURCE),
        (exports({"Fn::ImportValue": "other"}), EXPORT_OF_RESOURCE),
        (output({"Fn::GetAtt": ["Q", ""]}), GET_ATT),
        (output({"Fn::Sub": "${Q.}"}), GET_ATT),
        (
            output({"Fn::FindInMap": ["M", {"Fn::GetAtt": ["Q", "Arn"]}, "k"]}),
            "every Fn::FindInMap object requires three parameters",
        ),
        (display({"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/24", 257, 8]}]}), "every Fn::Cidr object requires"),
        (display({"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/24", 2, 8]}]}), "cannot make 2 blocks of 10.0.0.0/24"),
        (parameter(Type="Number", Default="1_000"), "Parameter 'P' must be a number."),
        (parameter(Type="Number", Default="nan"), "Parameter 'P' must be a number."),
        (parameter(Type="Number", Default="٣"), "Parameter 'P' must be a number."),
        (parameter(Default=["d"]), "Every Default member must be a string."),
        (parameter(AllowedValues="d"), "Every AllowedValues member must be a list of strings."),
        (parameter(Default="x" * 4097), "Parameter 'P' must contain at most 4096 characters"),
    ],
)
def test_a_template_is_refused(stacks: StackClient, template: dict[str, Any], message: str) -> None:
    """The error is a ValidationError, and nothing is created."""
    code, text = stacks.rejected(TemplateBody=json.dumps(template))

    assert code == "ValidationError"
    assert message in text


@pytest.mark.parametrize("body", ['{"Resources": NaN}', '{"Resources": 1e400}', "Resources: !!set {a, b}", "[1]"])
def test_text_that_is_not_json_or_yaml_of_templates_is_refused(stacks: StackClient, body: str) -> None:
    """Python's numbers and YAML's sets do not pass as values of a template."""
    assert stacks.rejected(TemplateBody=body)[1].startswith("Template format error: ")


@pytest.mark.parametrize("name", ["1bad", "a_b", "-a", "x" * 129])
def test_a_name_that_is_not_one_of_a_stack_is_refused(stacks: StackClient, name: str) -> None:
    """Names have letters, digits and hyphens, start with a letter, and are at most 128 characters long."""
    code, text = stacks.rejected(StackName=name, TemplateBody=json.dumps({"Resources": QUEUE}))

    assert code == "ValidationError"
    assert "at 'stackName' failed to satisfy constraint: Member must" in text


@pytest.mark.parametrize("operation", ["create_stack", "create_change_set"])
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"StackName": ARN}, f"Stack [{ARN}] does not exist"),
        ({"Tags": [{"Key": f"k{place}", "Value": "v"} for place in range(51)]}, "length less than or equal to 50"),
        (
            {"Tags": [{"Key": "AWS:owner", "Value": "v"}]},
            "aws: prefixed tag key names are not allowed for external use.",
        ),
        ({"Tags": [{"Key": "k", "Value": "v"}, {"Key": "k", "Value": "w"}]}, "Tag keys must differ: [k, k]"),
        ({"NotificationARNs": ["orders"]}, "Notification ARN orders is not the ARN of an SNS topic."),
        ({"NotificationARNs": ["arn:aws:sns:us-east-1:000000000000:t"] * 6}, "length less than or equal to 5"),
        ({"ResourceTypes": ["x" * 257]}, "length less than or equal to 256"),
    ],
)
def test_members_beyond_their_limits_are_refused(
    stacks: StackClient, operation: str, members: dict[str, Any], message: str
) -> None:
    """Ids of stacks that do not exist, too many or reserved tags, and what cannot be a topic or a type."""
    more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if operation == "create_change_set" else {}

    code, text = stacks.rejected(operation, TemplateBody=json.dumps({"Resources": QUEUE}), **more, **members)

    assert code == "ValidationError"
    assert message in text


@pytest.mark.parametrize(
    ("properties", "given", "needed"),
    [
        ({}, [], "CAPABILITY_IAM"),
        ({}, ["CAPABILITY_AUTO_EXPAND"], "CAPABILITY_IAM"),
        ({"RoleName": "r"}, ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM"),
    ],
)
@pytest.mark.parametrize("operation", ["create_stack", "create_change_set"])
def test_iam_resources_need_a_capability(
    stacks: StackClient, operation: str, properties: dict[str, Any], given: list[str], needed: str
) -> None:
    """A stack with roles must say so: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    template = json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": properties}}})
    more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if operation == "create_change_set" else {}

    refused = stacks.rejected(operation, TemplateBody=template, Capabilities=given, **more)

    assert refused == ("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def test_a_change_of_depends_on_alone_is_no_change(stacks: StackClient) -> None:
    """DependsOn orders resources; it is nothing to update."""
    stacks.create("Resources: {A: {Type: AWS::SQS::Queue}, B: {Type: AWS::SQS::Queue}}")

    with_order = "Resources: {A: {Type: AWS::SQS::Queue, DependsOn: B}, B: {Type: AWS::SQS::Queue}}"
    assert stacks.rejected("update_stack", TemplateBody=with_order)[1] == "No updates are to be performed."


@pytest.mark.parametrize("with_change_set", [False, True])
def test_an_export_that_does_not_exist_fails_the_creation(stacks: StackClient, with_change_set: bool) -> None:
    """The stack, or the change set, is made; the creation rolls back.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html
    """
    template = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue no-such-export}}}"

    if with_change_set:
        more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
        made = stacks.client.create_change_set(StackName="shop", TemplateBody=template, **more)
        stacks.client.execute_change_set(ChangeSetName=made["Id"])
        status = stacks.final_status()
    else:
        status = stacks.create(template)

    assert status == "ROLLBACK_COMPLETE"
    expected = "No export named no-such-export found. Rollback requested by user."
    assert stacks.reason("shop", "ROLLBACK_IN_PROGRESS") == expected


@pytest.mark.parametrize(("minutes", "status"), [(1, "ROLLBACK_COMPLETE"), (2, "CREATE_COMPLETE")])
def test_a_creation_has_a_timeout(localbus: Localbus, stacks: StackClient, minutes: int, status: str) -> None:
    """A creation that takes longer than TimeoutInMinutes fails and rolls back (API_CreateStack)."""
    start = localbus.clock.now()
    seconds = {start: 61}  # for the creation of the first queue
    localbus.engine.sqs.queues.on_change.append(
        lambda _arn: localbus.clock.advance(seconds.get(localbus.clock.now(), 0))
    )

    assert stacks.create("Resources: {A: {Type: AWS::SQS::Queue}}", TimeoutInMinutes=minutes) == status

    if status == "ROLLBACK_COMPLETE":
        expected = "Stack creation time exceeded the specified timeout. Rollback requested by user."
        assert stacks.reason("shop", "ROLLBACK_IN_PROGRESS") == expected
