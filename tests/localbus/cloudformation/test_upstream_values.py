"""Values that templates read from the upstream: template files, parameters of Systems Manager, and secrets.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient
from support.localbus import refused

ACCOUNT = "111122223333"
STORED = """
Parameters:
  Version: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/version}
  Names: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: /shop/names}
  Checked: {Type: "AWS::SSM::Parameter::Name", Default: /shop/version}
  Hidden: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/version, NoEcho: true}
Rules:
  Recent: {Assertions: [{Assert: !Not [!Contains [["1", "2"], !Ref Version]], AssertDescription: Too old}]}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Join ["-", [!Ref Version, !Join ["-", !Ref Names]]]}}
Outputs: {Name: {Value: !Ref Checked}}
"""
QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.fixture(scope="module")
def upstream(ministack: str) -> str:
    """The URL of a MiniStack that stores a few values."""
    bus = Localbus(Options(upstream=ministack)).start()
    ssm = bus.client("ssm")
    for value in ("2", "3"):
        ssm.put_parameter(Name="/shop/version", Value=value, Type="String", Overwrite=True)
    ssm.put_parameter(Name="/shop/names", Value="tea,cake", Type="StringList")
    ssm.put_parameter(Name="/shop/key", Value="k", Type="SecureString")
    secret = json.dumps({"user": "ann", "port": 25})
    bus.client("secretsmanager").create_secret(Name="shop/login", SecretString=secret)
    bus.stop()
    return ministack


@pytest.fixture
def localbus(upstream: str, upstream_bus: Localbus) -> Localbus:
    """A fresh engine in front of it."""
    return upstream_bus


def test_parameters_are_read_from_systems_manager(stacks: StackClient) -> None:
    """Ref gives the stored value; the name and the ResolvedValue are shown; an update reads it again."""
    assert stacks.create(STORED) == "CREATE_COMPLETE"

    shown = {one["ParameterKey"]: one for one in stacks.stack()["Parameters"]}
    assert shown["Version"]["ParameterValue"] == "/shop/version"
    assert shown["Version"]["ResolvedValue"] == "3"
    assert shown["Names"]["ResolvedValue"] == "tea,cake"
    assert "ResolvedValue" not in shown["Checked"]
    assert shown["Hidden"]["ResolvedValue"] == shown["Hidden"]["ParameterValue"] == "****"
    assert stacks.queues() == ["3-tea-cake"]
    assert stacks.outputs() == {"Name": "/shop/version"}
    given = [{"ParameterKey": name, "UsePreviousValue": True} for name in shown]
    stacks.client.create_change_set(
        StackName="shop",
        ChangeSetName="c",
        TemplateBody=STORED.replace("Default: /shop", "Default: /other"),
        Parameters=given,
    )
    described = stacks.client.describe_change_set(StackName="shop", ChangeSetName="c")
    assert {one["ResolvedValue"] for one in described["Parameters"] if "ResolvedValue" in one} == {
        "3",
        "tea,cake",
        "****",
    }


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("/shop/none", "Unable to fetch parameters [/shop/none] from parameter store for this account."),
        ("/shop/key", "Parameters [/shop/key] referenced by template have types not supported by CloudFormation."),
        ("/shop/version:1", "Too old"),
        ("/shop/version:9", "Unable to fetch parameters [/shop/version:9] from parameter store for this account."),
    ],
)
def test_a_parameter_that_cannot_be_read_is_refused(stacks: StackClient, version: str, message: str) -> None:
    """Missing names, secure strings and values that a rule does not allow. A name can end with a version."""
    given = [{"ParameterKey": "Version", "ParameterValue": version}]
    assert stacks.rejected(TemplateBody=STORED, Parameters=given) == ("ValidationError", message)


@pytest.mark.parametrize("name", ["Value<String>", "Name"])
def test_stored_parameters_need_an_upstream(name: str) -> None:
    """Without one the error says how to start localbus."""
    bus = Localbus().start()
    parameters = {"P": {"Type": f"AWS::SSM::Parameter::{name}", "Default": "n"}}
    template = json.dumps({"Parameters": parameters, "Resources": {"Queue": QUEUE}})
    code, message = StackClient(bus).rejected(TemplateBody=template)
    bus.stop()
    assert code == "ValidationError"
    assert message.endswith("needs Systems Manager; start localbus with --upstream URL.")


def test_dynamic_references_are_resolved(stacks: StackClient) -> None:
    """In properties of queues and topics: parameters, with a version or composed of a function, and secrets."""
    resources = {
        "Queue": QUEUE
        | {"Properties": {"QueueName": "v{{resolve:ssm:/shop/version}}-{{resolve:ssm:/shop/version:1}}"}},
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "DisplayName": "{{resolve:secretsmanager:shop/login:SecretString:user}}",
                "Tags": [{"Key": "port", "Value": "{{resolve:secretsmanager:shop/login:SecretString:port::}}"}],
            },
        },
        "Late": QUEUE | {"Properties": {"QueueName": {"Fn::Sub": "{{resolve:ssm:/shop/${N}}}"}, "DelaySeconds": 7}},
    }
    parameters = {"N": {"Type": "String", "Default": "version"}}

    assert stacks.create(json.dumps({"Parameters": parameters, "Resources": resources})) == "CREATE_COMPLETE"

    assert sorted(stacks.queues()) == ["3", "v3-2"]
    topic = stacks.physical_id("Topic")
    assert stacks.topic_attributes(topic)["DisplayName"] == "ann"
    tags = stacks.sns.list_tags_for_resource(ResourceArn=topic)["Tags"]
    assert {"Key": "port", "Value": "25"} in tags


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("ssm:/shop/none", "Parameters: [ssm:/shop/none] cannot be found."),
        ("ssm:/shop/version:9", "Parameters: [ssm:/shop/version:9] cannot be found."),
        (
            "ssm:/shop/version:",
            "Incorrect format is used in the following SSM reference: [{{resolve:ssm:/shop/version:}}]",
        ),
        ("ssm-secure:/shop/key", "SSM Secure reference is not supported in: [AWS::SQS::Queue/Properties/QueueName]"),
    ],
)
def test_a_reference_that_cannot_be_resolved_is_refused(stacks: StackClient, reference: str, message: str) -> None:
    """Parameters are checked before anything is created."""
    template = {"Resources": {"Queue": QUEUE | {"Properties": {"QueueName": "{{resolve:" + reference + "}}"}}}}
    assert stacks.rejected(TemplateBody=json.dumps(template)) == ("ValidationError", message)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("none", "Secrets Manager can't find the specified secret."),
        ("shop/login:SecretString:none", "Could not find a value associated with JSONKey in SecretString"),
    ],
)
def test_a_secret_that_cannot_be_read_fails_its_resource(stacks: StackClient, reference: str, reason: str) -> None:
    """CloudFormation reads secrets only during the deployment."""
    template = {
        "Resources": {"Q": QUEUE | {"Properties": {"QueueName": f"{{{{resolve:secretsmanager:{reference}}}}}"}}}
    }
    assert stacks.create(json.dumps(template)) == "ROLLBACK_COMPLETE"
    assert stacks.reason("Q", "CREATE_FAILED") == reason


class Files:
    """Template files in a bucket of an account of twelve digits."""

    def __init__(self, url: str) -> None:
        self.url = url
        make: Any = boto3.client
        credentials = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "test"}  # MiniStack verifies it
        common = {"endpoint_url": url, "region_name": "us-east-1", **credentials}
        self.s3 = make("s3", **common, config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"))
        self.cloudformation = make("cloudformation", **common)
        self.s3.create_bucket(Bucket="of-shop")
        body = json.dumps({"Resources": {"Queue": QUEUE}}).encode()
        self.s3.put_object(Bucket="of-shop", Key="a file.json", Body=body)
        self.version = self.s3.put_object(Bucket="of-shop", Key="b.json", Body=body).get("VersionId")

    def close(self) -> None:
        """Delete the bucket."""
        for key in ("a file.json", "b.json"):
            self.s3.delete_object(Bucket="of-shop", Key=key)
        self.s3.delete_bucket(Bucket="of-shop")


@pytest.fixture
def files(localbus: Localbus) -> Iterator[Files]:
    """The bucket."""
    found = Files(localbus.url)
    yield found
    found.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.us-east-1.amazonaws.com/of-shop/a%20file.json",
        "https://of-shop.s3.us-east-1.amazonaws.com/a%20file.json",
        "https://of-shop.s3.amazonaws.com/a%20file.json?x=y",
        "http://of-shop.s3.localhost.localstack.cloud:4566/a%20file.json",
        "http://127.0.0.1:4566/of-shop/a%20file.json",
        "http://of-shop.localhost:4566/a%20file.json",
    ],
)
def test_a_template_file_is_read_as_the_caller(files: Files, url: str) -> None:
    """From the bucket of an account of twelve digits, by each style of URL."""
    shown = files.cloudformation.get_template_summary(TemplateURL=url)
    assert shown["ResourceTypes"] == ["AWS::SQS::Queue"]


def test_a_presigned_url_is_read(files: Files) -> None:
    """It keeps its query, which holds the credentials; a wrong signature is S3's error."""
    url = files.s3.generate_presigned_url("get_object", Params={"Bucket": "of-shop", "Key": "a file.json"})

    assert files.cloudformation.validate_template(TemplateURL=url)["Parameters"] == []
    _, message = refused(files.cloudformation.validate_template, TemplateURL=url[:-4] + "0000")
    assert "signature" in message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://s3.amazonaws.com/of-shop/none.json", "S3 error: The specified key does not exist.\nFor more"),
        ("none", "TemplateURL must be a supported URL."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(files: Files, url: str, message: str) -> None:
    """The error is that of S3."""
    code, found = refused(files.cloudformation.validate_template, TemplateURL=url)
    assert code == "ValidationError"
    assert found.startswith(message)


def test_the_session_of_a_role_is_in_the_role_s_account(localbus: Localbus) -> None:
    """Credentials of an assumed role, as `cdk deploy` uses them, act in the account that issued them.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]})
    iam = localbus.client("iam", account=ACCOUNT)
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    issued = localbus.client("sts", account=ACCOUNT).assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]

    sqs = localbus.client("sqs", account=issued["AccessKeyId"], aws_session_token=issued["SessionToken"])
    url = sqs.create_queue(QueueName="work")["QueueUrl"]

    assert url.endswith(f"/{ACCOUNT}/work")
    assert localbus.client("sqs", account=ACCOUNT).list_queues()["QueueUrls"] == [url]
    iam.delete_role(RoleName="deploy")
