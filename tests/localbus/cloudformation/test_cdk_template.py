"""A template of CDK's default synthesizer, as CDK 2.276 made it of an application of this project.

`tests/clients/tools/cdk.sh` runs the tool itself.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient
from support.waiting import poll_until

TEMPLATE = (Path(__file__).parent / "cdk_template.json").read_text()
BUCKET = "cdk-hnb659fds-assets-000000000000-us-east-1"
URL = f"https://s3.us-east-1.amazonaws.com/{BUCKET}/"


class Environment:
    """An environment after `cdk bootstrap`: a bucket with the published assets, and the version of the bootstrap."""

    def __init__(self, localbus: Localbus) -> None:
        self.s3 = localbus.client("s3", config=Config(s3={"addressing_style": "path"}))
        self.ssm = localbus.client("ssm")
        self.s3.create_bucket(Bucket=BUCKET)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as file:
            file.writestr("index.py", "def handler(event, context): return {}")
        self.publish("function.zip", code.getvalue())
        self.set_version("29")

    def publish(self, key: str, body: bytes) -> None:
        """Upload an asset."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def set_version(self, version: str) -> None:
        """Set the version of the bootstrap."""
        self.ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value=version, Type="String", Overwrite=True)


@pytest.fixture
def localbus(upstream_bus: Localbus) -> Localbus:
    """A fresh engine in front of MiniStack."""
    return upstream_bus


def deploy(stacks: StackClient, kind: str, template: str, environment: Environment) -> str:
    """Deploy as `cdk deploy` does: upload the template, create a change set, execute it. Returns the final status."""
    environment.publish("shop.json", template.encode())
    name: Any = {"ChangeSetName": "cdk-deploy-change-set", "StackName": "shop"}
    if kind == "UPDATE":
        stacks.client.delete_change_set(**name)
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    given = name | {"ChangeSetType": kind, "TemplateURL": f"{URL}shop.json", "Capabilities": capabilities}
    stacks.client.create_change_set(**given)
    stacks.client.execute_change_set(**name)
    return stacks.final_status()


def test_a_default_cdk_stack_is_deployed_updated_and_destroyed(localbus: Localbus, stacks: StackClient) -> None:
    """Its rule on the version of the bootstrap holds; a message and an event reach the queue as the stack says."""
    environment = Environment(localbus)

    assert deploy(stacks, "CREATE", TEMPLATE, environment) == "CREATE_COMPLETE"

    url = stacks.outputs()["Url"]
    assert [one for one in stacks.stack()["Parameters"] if one["ResolvedValue"] == "29"]
    topic, bus = stacks.physical_id("OrdersA9B65338"), stacks.physical_id("BusEA82B648")
    for kind in ("cake", "tea"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        stacks.sns.publish(TopicArn=topic, Message=kind, MessageAttributes=attributes)
    assert poll_until(lambda: stacks.bodies(url), within_s=30) == ["tea"]
    entry = {"Source": "shop", "DetailType": "placed", "Detail": '{"id": "o-1"}', "EventBusName": bus}
    localbus.client("events").put_events(Entries=[entry])
    assert [json.loads(body) for body in poll_until(lambda: stacks.bodies(url), within_s=30)] == [{"order": "o-1"}]

    changed = TEMPLATE.replace('"VisibilityTimeout": 30', '"VisibilityTimeout": 45')
    assert deploy(stacks, "UPDATE", changed, environment) == "UPDATE_COMPLETE"
    assert stacks.attributes(url)["VisibilityTimeout"] == "45"

    assert stacks.delete() == "DELETE_COMPLETE"
    assert stacks.queues() == []
    assert localbus.client("dynamodb").list_tables()["TableNames"] == []


def test_an_old_bootstrap_is_refused(localbus: Localbus, stacks: StackClient) -> None:
    """The error is the assertion's description."""
    Environment(localbus).set_version("5")

    code, message = stacks.rejected(TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_IAM"])

    assert code == "ValidationError"
    assert "CDK bootstrap stack version 6 required." in message
