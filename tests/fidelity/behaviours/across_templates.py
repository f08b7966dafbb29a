"""Templates of CloudFormation: rules, stored values, files in S3, transforms and nested stacks."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.behaviours.across_stacks import Stack
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import formation_api, formation_guide, formation_template, formation_type

GROUP = Group("Across services", "CloudFormation templates")
behaviour = GROUP.behaviour
_INVALID = "ValidationError"
_EXPAND = ["CAPABILITY_AUTO_EXPAND"]


def _queue(name: Any, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name} | properties}


def _template(aws: Aws, resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The parameters of CreateStack."""
    body = json.dumps({"Resources": resources} | sections)
    return {"StackName": aws.name(), "TemplateBody": body, "Capabilities": _EXPAND}


def _file(aws: Aws, resources: dict[str, Any], **sections: Any) -> tuple[str, str]:
    """Put a template into S3. Return its bucket and its URL."""
    s3, bucket = aws.client("s3"), aws.name().lower()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="t.json", Body=json.dumps({"Resources": resources} | sections).encode())
    return bucket, f"https://s3.us-east-1.amazonaws.com/{bucket}/t.json"


def _rule(assertion: Any, **more: Any) -> dict[str, Any]:
    return {"R": {"Assertions": [{"Assert": assertion, "AssertDescription": "must be small"}]} | more}


@behaviour(formation_guide("rules-section-structure"))
def a_rule_fails(aws: Aws) -> None:
    """A stack is refused if an assertion of its rules does not hold, with the assertion's description."""
    rules = _rule({"Fn::Contains": [["s", "m"], {"Ref": "Size"}]})
    parameters = {"Size": {"Type": "String", "Default": "xl"}}
    given = _template(aws, {"Q": _queue(aws.name())}, Rules=rules, Parameters=parameters)

    refused(_INVALID, aws.client("cloudformation").create_stack, says="must be small", **given)


@behaviour(formation_guide("rules-section-structure"))
def a_rule_s_condition(aws: Aws) -> None:
    """A rule whose condition is false is not evaluated."""
    rules = _rule({"Fn::Equals": ["a", "b"]}, RuleCondition={"Fn::Equals": [{"Ref": "AWS::Region"}, "nowhere"]})
    Stack(aws, {"Q": _queue(aws.name())}, Rules=rules)


@behaviour(formation_template("intrinsic-function-reference-rules"))
def each_member_in(aws: Aws) -> None:
    """Fn::EachMemberIn compares the parameters of one type, which Fn::RefAll lists."""
    rules = _rule({"Fn::EachMemberIn": [{"Fn::RefAll": "AWS::EC2::VPC::Id"}, ["vpc-1"]]})
    parameters = {"V": {"Type": "AWS::EC2::VPC::Id", "Default": "vpc-2"}}
    given = _template(aws, {"Q": _queue(aws.name())}, Rules=rules, Parameters=parameters)

    refused(_INVALID, aws.client("cloudformation").create_stack, **given)


@behaviour(formation_guide("cloudformation-supplied-parameter-types", recorded=True))
def stored_parameter(aws: Aws) -> None:
    """A parameter of type AWS::SSM::Parameter::Value has the stored value, shown as ResolvedValue."""
    name, value = f"/{aws.name()}", aws.name()
    aws.client("ssm").put_parameter(Name=name, Value=value, Type="String")
    parameters = {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}}
    stack = Stack(aws, {"Q": _queue({"Ref": "P"})}, Parameters=parameters)

    same("has", stack.queue("Q").name, value)
    shown = stack.described()["Parameters"][0]
    same("shows", (shown["ParameterValue"], shown.get("ResolvedValue")), (name, value))


@behaviour(formation_guide("cloudformation-supplied-parameter-types"))
def missing_parameter(aws: Aws) -> None:
    """A stack whose stored parameter does not exist is refused."""
    parameters = {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/nowhere/at-all"}}
    given = _template(aws, {"Q": _queue({"Ref": "P"})}, Parameters=parameters)

    refused(_INVALID, aws.client("cloudformation").create_stack, **given)


@behaviour(formation_guide("dynamic-references-ssm"))
def dynamic_reference(aws: Aws) -> None:
    """{{resolve:ssm:NAME:VERSION}} in a queue's property is that version of the value."""
    name = f"/{aws.name()}"
    for seconds in ("5", "6"):
        aws.client("ssm").put_parameter(Name=name, Value=seconds, Type="String", Overwrite=True)
    stack = Stack(aws, {"Q": _queue(aws.name(), DelaySeconds=f"{{{{resolve:ssm:{name}:1}}}}")})

    same("has", stack.queue("Q").attributes()["DelaySeconds"], "5")


@behaviour(formation_guide("dynamic-references-secretsmanager"))
def secret(aws: Aws) -> None:
    """{{resolve:secretsmanager:...}} reads one key of a secret."""
    secret_id = aws.name()
    aws.client("secretsmanager").create_secret(Name=secret_id, SecretString=json.dumps({"who": "ann"}))
    name = f"{{{{resolve:secretsmanager:{secret_id}:SecretString:who}}}}"
    stack = Stack(aws, {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}})

    shown = aws.sns.get_topic_attributes(TopicArn=stack.physical("T"))["Attributes"]
    same("has", shown["DisplayName"], "ann")


@behaviour(formation_guide("dynamic-references-ssm-secure-strings"))
def secure_reference(aws: Aws) -> None:
    """A secure string is refused in a property of a queue."""
    name = f"/{aws.name()}"
    aws.client("ssm").put_parameter(Name=name, Value="x", Type="SecureString")
    given = _template(aws, {"Q": _queue(f"{{{{resolve:ssm-secure:{name}:1}}}}")})

    refused(_INVALID, aws.client("cloudformation").create_stack, **given)


@behaviour(formation_api("ValidateTemplate"))
def template_url(aws: Aws) -> None:
    """A template is read from the S3 of the caller's account."""
    account = "111122223333"
    s3, bucket = aws.client("s3", account=account), aws.name().lower()
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="t.json", Body=json.dumps({"Resources": {"Q": _queue("q")}}).encode())

    url = f"https://s3.us-east-1.amazonaws.com/{bucket}/t.json"
    shown = aws.client("cloudformation", account=account).get_template_summary(TemplateURL=url)

    same("reads", shown["ResourceTypes"], ["AWS::SQS::Queue"])


@behaviour(formation_template("transform-aws-languageextensions", recorded=True))
def language_extensions(aws: Aws) -> None:
    """Fn::ForEach repeats a queue, and Fn::Length counts; the processed template has the result."""
    loop = ["Name", ["A", "B"], {"Q${Name}": _queue({"Fn::Sub": f"{aws.name()}-${{Name}}"})}]
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Length": ["a", "b", "c"]}}}
    given = _template(aws, {"Fn::ForEach::Queues": loop, "T": topic}, Transform="AWS::LanguageExtensions")
    client = aws.client("cloudformation")
    client.create_stack(**given)

    def done() -> bool:
        shown = client.describe_stacks(StackName=given["StackName"])["Stacks"][0]
        return bool(shown["StackStatus"] == "CREATE_COMPLETE")

    eventually(done, "is not created", 20)
    processed = client.get_template(StackName=given["StackName"], TemplateStage="Processed")["TemplateBody"]
    same("makes", sorted(processed["Resources"]), ["QA", "QB", "T"])
    same("counts", str(processed["Resources"]["T"]["Properties"]["DisplayName"]), "3")


@behaviour(formation_api("CreateStack"))
def transform_without_capability(aws: Aws) -> None:
    """A template with a transform needs CAPABILITY_AUTO_EXPAND."""
    given = _template(aws, {"Q": _queue(aws.name())}, Transform="AWS::LanguageExtensions") | {"Capabilities": []}

    refused("InsufficientCapabilitiesException", aws.client("cloudformation").create_stack, **given)


@behaviour(formation_type("AWS::CloudFormation::Stack"))
def nested_stack(aws: Aws) -> None:
    """The outputs of a nested stack are attributes of its resource; it shows its parent."""
    outputs = {"Name": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}}}
    name = aws.name()
    _, url = _file(aws, {"Q": _queue(name)}, Outputs=outputs)
    inner = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    found = {"Name": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Name"]}}}
    stack = Stack(aws, {"Inner": inner}, Outputs=found)

    same("gives", stack.outputs(), {"Name": name})
    child = stack.client.describe_stacks(StackName=stack.physical("Inner"))["Stacks"][0]
    same("shows", child.get("ParentId"), stack.id)


@behaviour(formation_guide("using-cfn-nested-stacks"))
def nested_rollback(aws: Aws) -> None:
    """A failed update of a parent rolls its nested stack back; a queue that it had removed keeps its messages."""
    name = aws.name()
    conditions = {"Keep": {"Fn::Equals": [{"Ref": "K"}, "yes"]}}
    resources = {"Q": _queue(name) | {"Condition": "Keep"}, "T": {"Type": "AWS::SNS::Topic"}}
    parameters = {"K": {"Type": "String"}}
    _, url = _file(aws, resources, Conditions=conditions, Parameters=parameters)

    def parent(keep: str, seconds: int) -> dict[str, Any]:
        given = {"TemplateURL": url, "Parameters": {"K": keep}}
        late = _queue(f"{name}-late", DelaySeconds=seconds) | {"DependsOn": "Inner"}
        return {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": given}, "Late": late}

    stack = Stack(aws, parent("yes", 1))
    queue_url = aws.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    aws.sqs.send_message(QueueUrl=queue_url, MessageBody="m")
    stack.client.update_stack(StackName=stack.name, TemplateBody=json.dumps({"Resources": parent("no", 99_999)}))
    stack.until("UPDATE_ROLLBACK_COMPLETE")

    got = aws.sqs.receive_message(QueueUrl=queue_url).get("Messages", [])
    holds([one["Body"] for one in got] == ["m"], "has lost the message")


@behaviour(formation_type("AWS::CloudFormation::Macro"), differs="Macros are not implemented; nor are stack sets.")
def macro(aws: Aws) -> None:
    """A template with a macro that does not exist is refused as invalid."""
    given = _template(aws, {"Q": _queue(aws.name())}, Transform="NoSuchMacro")

    refused(_INVALID, aws.client("cloudformation").create_stack, **given)


@behaviour(
    formation_api("CreateChangeSet"),
    differs="No change sets of nested stacks: that of their parent creates and updates them.",
)
def nested_change_set(aws: Aws) -> None:
    """A change set with IncludeNestedStacks names the change set of each nested stack."""
    _, url = _file(aws, {"Q": _queue(aws.name())})
    inner = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    given = _template(aws, {"Inner": inner}) | {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
    client = aws.client("cloudformation")
    made = client.create_change_set(**given, IncludeNestedStacks=True)["Id"]

    def change() -> Any:
        return client.describe_change_set(ChangeSetName=made).get("Changes")

    found = eventually(change, "has no change")[0]["ResourceChange"]
    holds(found.get("ChangeSetId"), "names none")
