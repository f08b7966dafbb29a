"""Stacks of localbus through `aws cloudformation deploy`, which uses change sets and waiters."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from clients.aws_cli import AwsCli
from localbus.pytest_plugin import Localbus

TEMPLATE = """
Parameters: {Seconds: {Type: Number, Default: 30}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: work, VisibilityTimeout: !Ref Seconds}}
Outputs:
  Url: {Value: !Ref Queue}
"""


class Deploy:
    """`aws cloudformation deploy` for one stack; `run` runs its other commands."""

    def __init__(self, cli: AwsCli, home: Path) -> None:
        self._template = home / "template.yaml"
        self._cli = cli

    def __call__(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Deploy a template."""
        self._template.write_text(text)
        now = time.time()
        time.sleep(int(now) + 1 - now)  # the command names its change set by the second, and an executed one stays
        return self.run("deploy", "--stack-name", "shop", "--template-file", str(self._template), *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `aws cloudformation`."""
        return self._cli.run("cloudformation", *arguments)


@pytest.fixture
def deploy(localbus: Localbus, warm: Path, tmp_path: Path) -> Deploy:
    """The command for a fresh engine."""
    return Deploy(AwsCli(warm, localbus.url, "us-east-1"), tmp_path)


def test_deploy_creates_updates_and_accepts_no_change(localbus: Localbus, deploy: Deploy) -> None:
    """The first deploy creates the stack, the second updates it, the third reports no changes and succeeds."""
    sqs = localbus.client("sqs")

    first = deploy(TEMPLATE)
    second = deploy(TEMPLATE, "--parameter-overrides", "Seconds=45")
    third = deploy(TEMPLATE, "--no-fail-on-empty-changeset")

    assert [one.returncode for one in (first, second, third)] == [0, 0, 0], first.stderr + second.stderr + third.stderr
    assert "Successfully created/updated stack - shop" in second.stdout
    assert "No changes to deploy" in third.stdout
    outputs = deploy.run("describe-stacks", "--query", "Stacks[0].Outputs[0].OutputValue", "--output", "text")
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    assert outputs.stdout.strip() == url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes == {"VisibilityTimeout": "45"}


def test_a_failed_deploy_is_reported(deploy: Deploy) -> None:
    """The command fails, the events have the reason, and the stack can be deleted and waited for."""
    failed = deploy(TEMPLATE.replace("Timeout: !Ref Seconds", "Timeout: 99999"))

    assert failed.returncode != 0
    events = deploy.run("describe-stack-events", "--stack-name", "shop", "--output", "text")
    assert "HandlerErrorCode: InvalidRequest" in events.stdout
    assert deploy.run("delete-stack", "--stack-name", "shop").returncode == 0
    assert deploy.run("wait", "stack-delete-complete", "--stack-name", "shop").returncode == 0
