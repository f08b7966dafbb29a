"""Transforms: SAM, language extensions and included files.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html,
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient

AUTO_EXPAND = ["CAPABILITY_AUTO_EXPAND"]
EXTENSIONS = """
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "tea,ca-ke"}
  Keep: {Type: String, Default: Delete}
Mappings:
  Delays: {tea: {seconds: "7"}}
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - Queue&{Name}:
        Type: AWS::SQS::Queue
        DeletionPolicy: !Ref Keep
        Properties:
          QueueName: !Sub "of-${Name}"
          DelaySeconds: !FindInMap [Delays, !Ref Name, seconds, DefaultValue: "3"]
          Tags:
            - {Key: name, Value: !Ref Name}
            - {Key: count, Value: {"Fn::Length": !Ref Names}}
            - {Key: plain, Value: "${Name}"}
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName:
        Fn::ToJsonString: {n: {"Fn::Length": [a, b, c]}, q: !GetAtt Queuetea.QueueName}
Outputs:
  Fn::ForEach::Arns:
    - Name
    - [tea]
    - ${Name}Arn: {Value: !GetAtt [!Sub "Queue${Name}", Arn]}
"""


def body(stacks: StackClient, stage: str) -> Any:
    """The template of the stack at a stage."""
    return stacks.client.get_template(StackName="shop", TemplateStage=stage)["TemplateBody"]


def test_language_extensions(stacks: StackClient) -> None:
    """Loops, lengths, JSON texts, defaults of maps and policies by parameter are expanded; a plain text stays."""
    assert stacks.create(EXTENSIONS, Capabilities=AUTO_EXPAND) == "CREATE_COMPLETE"

    assert sorted(stacks.queues()) == ["of-ca-ke", "of-tea"]
    url = stacks.physical_id("Queuecake")
    assert stacks.attributes(url)["DelaySeconds"] == "3"
    assert stacks.attributes(stacks.physical_id("Queuetea"))["DelaySeconds"] == "7"
    tags = stacks.sqs.list_queue_tags(QueueUrl=url)["Tags"]
    assert {name: tags[name] for name in ("name", "count", "plain")} == {
        "name": "ca-ke",
        "count": "2",
        "plain": "${Name}",
    }
    assert stacks.topic_attributes(stacks.physical_id("Topic"))["DisplayName"] == '{"n":3,"q":"of-tea"}'
    assert stacks.outputs()["teaArn"].endswith(":of-tea")
    assert body(stacks, "Original") == EXTENSIONS
    processed = body(stacks, "Processed")
    assert set(processed["Resources"]) == {"Queuetea", "Queuecake", "Topic"}
    assert "Transform" not in processed
    assert processed["Resources"]["Queuetea"]["DeletionPolicy"] == "Delete"

    assert stacks.update(EXTENSIONS, Names="tea", Capabilities=AUTO_EXPAND) == "UPDATE_COMPLETE"
    assert stacks.queues() == ["of-tea"]

    # A template with transforms updates even if nothing changes (AWS's answer, recorded).
    assert stacks.update(EXTENSIONS, Names="tea", Capabilities=AUTO_EXPAND) == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::ForEach::Loop": ["Name", {"Key": "a"}]}, "Fn::ForEach layout is incorrect"),
        (
            {"Fn::ForEach::Loop": ["Name", {"Ref": "Queue"}, {}]},
            "Could not find a collection or could not be resolved for Fn::ForEach",
        ),
        ({"Name": {"Fn::Length": "abc"}}, "The Fn::Length value could not be resolved for properties"),
        ({"Name": {"Fn::ToJsonString": "abc"}}, "Fn::ToJsonString requires an object or an array"),
    ],
)
def test_wrong_extensions_are_refused(stacks: StackClient, value: Any, message: str) -> None:
    """The error names the transform."""
    resources = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": value}}
    template = json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": resources})
    code, found = stacks.rejected(TemplateBody=template, Capabilities=AUTO_EXPAND)
    assert (code, found) == ("ValidationError", f"Transform AWS::LanguageExtensions failed with: {message}")


def test_a_function_of_the_extensions_needs_the_transform(stacks: StackClient) -> None:
    """The error says so."""
    resources = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Fn::Length": ["a"]}}}}
    _, message = stacks.rejected(TemplateBody=json.dumps({"Resources": resources}))
    assert message == "Template error: Fn::Length needs the transform AWS::LanguageExtensions in the template."


def test_transforms_need_a_capability_or_a_change_set(stacks: StackClient) -> None:
    """CreateStack refuses a template with transforms without CAPABILITY_AUTO_EXPAND; a change set takes it.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (Capabilities)
    """
    expected = ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]")
    assert stacks.rejected(TemplateBody=EXTENSIONS) == expected
    summary = stacks.client.get_template_summary(TemplateBody=EXTENSIONS)
    assert summary["DeclaredTransforms"] == ["AWS::LanguageExtensions"]

    named: Any = {"StackName": "shop", "ChangeSetName": "first"}
    stacks.client.create_change_set(**named, ChangeSetType="CREATE", TemplateBody=EXTENSIONS)
    stacks.client.execute_change_set(**named)

    assert stacks.final_status() == "CREATE_COMPLETE"


SAM = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Timeout: 5}}
Resources:
  Work: {Type: AWS::SQS::Queue}
  Handler:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: "def handler(event, context): return {}"
      Policies: [AmazonSQSFullAccess]
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn, BatchSize: 5}}
        Placed: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}
  Orders: {Type: AWS::Serverless::SimpleTable}
"""


def test_a_sam_template_is_deployed(upstream_bus: Localbus) -> None:
    """Its function, role, mapping, rule and table exist; the processed template names them."""
    stacks = StackClient(upstream_bus)
    capabilities = [*AUTO_EXPAND, "CAPABILITY_IAM"]

    assert stacks.create(SAM, Capabilities=capabilities) == "CREATE_COMPLETE"

    processed = body(stacks, "Processed")["Resources"]
    assert processed["HandlerQueue"]["Type"] == "AWS::Lambda::EventSourceMapping"
    assert processed["Handler"]["Properties"]["Timeout"] == 5
    policies = processed["HandlerRole"]["Properties"]["ManagedPolicyArns"]
    assert "arn:aws:iam::aws:policy/AmazonSQSFullAccess" in policies
    mappings = upstream_bus.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert [one["BatchSize"] for one in mappings] == [5]
    assert len(upstream_bus.client("events").list_rules()["Rules"]) == 1
    assert stacks.physical_id("Orders") in upstream_bus.client("dynamodb").list_tables()["TableNames"]
    assert stacks.update(SAM.replace("BatchSize: 5", "BatchSize: 6"), Capabilities=capabilities) == "UPDATE_COMPLETE"
    assert stacks.delete() == "DELETE_COMPLETE"


def test_a_wrong_sam_template_is_refused(stacks: StackClient) -> None:
    """The error has the translator's reasons."""
    code, message = stacks.rejected(
        TemplateBody=SAM.replace("Handler: index.handler\n", "\n"), Capabilities=AUTO_EXPAND
    )
    assert code == "ValidationError"
    assert message.startswith("Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application")
    assert "Resource with id [Handler] is invalid." in message


def test_sam_needs_its_translator(stacks: StackClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says how to install it."""
    monkeypatch.setitem(sys.modules, "samtranslator.parser.parser", None)
    code, message = stacks.rejected(TemplateBody=SAM, Capabilities=AUTO_EXPAND)
    assert code == "NotImplemented"
    assert "pip install aws-sam-translator" in message


def test_a_file_is_included(upstream_bus: Localbus) -> None:
    """AWS::Include adds a snippet from S3, at the top and inside a property."""
    s3 = upstream_bus.client("s3")
    s3.create_bucket(Bucket="snippets")
    s3.put_object(Bucket="snippets", Key="delay.yaml", Body=b"DelaySeconds: 7")
    include = {"Name": "AWS::Include", "Parameters": {"Location": {"Fn::Sub": "s3://${Bucket}/delay.yaml"}}}
    properties = {"QueueName": "work", "Fn::Transform": include}
    template = {
        "Parameters": {"Bucket": {"Type": "String", "Default": "snippets"}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}},
    }
    stacks = StackClient(upstream_bus)

    assert stacks.create(json.dumps(template), Capabilities=AUTO_EXPAND) == "CREATE_COMPLETE", (
        stacks.client.describe_stack_events(StackName="shop")
    )

    assert stacks.attributes(stacks.physical_id("Queue"))["DelaySeconds"] == "7"
    assert stacks.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize("transform", ["MyMacro", "AWS::CodeDeployBlueGreen"])
def test_macros_are_refused(stacks: StackClient, transform: str) -> None:
    """They are not ignored, neither at the top nor inside."""
    resources: dict[str, Any] = {"Queue": {"Type": "AWS::SQS::Queue"}}
    assert stacks.rejected(TemplateBody=json.dumps({"Transform": transform, "Resources": resources})) == (
        "NotImplemented",
        f"localbus does not implement the transform {transform}.",
    )
    resources["Queue"]["Properties"] = {"Fn::Transform": {"Name": transform}}
    code, message = stacks.rejected(TemplateBody=json.dumps({"Resources": resources}), Capabilities=AUTO_EXPAND)
    assert (code, message) == ("NotImplemented", f"localbus does not implement the macro {transform}.")
