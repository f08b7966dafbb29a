"""Stacks of localbus through the AWS CLI: `aws cloudformation deploy`, which works by change sets and waiters."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from clients.installed import aws_cli
from localbus.pytest_plugin import Localbus

TEMPLATE = """
Parameters: {Seconds: {Type: Number, Default: 30}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: work, VisibilityTimeout: !Ref Seconds}}
Outputs:
  Url: {Value: !Ref Queue}
"""


class Deploy:
    """The command for one stack; each call of it deploys a template, and `run` is any other of its kind."""

    def __init__(self, localbus: Localbus, home: Path) -> None:
        self._template = home / "template.yaml"
        self._command = [str(aws_cli()), "--endpoint-url", localbus.url, "cloudformation"]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONUTF8": "1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def __call__(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Deploy this template, with these arguments."""
        self._template.write_text(text)
        _next_second()  # the command names its change set by the second, and an executed one keeps its name
        return self.run("deploy", "--stack-name", "shop", "--template-file", str(self._template), *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Any command about stacks."""
        return subprocess.run(
            [*self._command, *arguments], env=self._environment, capture_output=True, text=True, check=False, timeout=90
        )


def _next_second() -> None:
    now = time.time()
    time.sleep(int(now) + 1 - now)


@pytest.fixture
def deploy(localbus: Localbus, tmp_path: Path) -> Deploy:
    """The command for a fresh engine."""
    return Deploy(localbus, tmp_path)


def test_deploy_makes_changes_and_leaves_alone(localbus: Localbus, deploy: Deploy) -> None:
    """The first time it makes the stack, then it changes it, and where nothing changed it says so and is content."""
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


def test_a_failed_deploy_says_so(deploy: Deploy) -> None:
    """It ends with an error; the events say why, and the stack can be deleted and waited for."""
    failed = deploy(TEMPLATE.replace("Timeout: !Ref Seconds", "Timeout: 99999"))

    assert failed.returncode != 0
    events = deploy.run("describe-stack-events", "--stack-name", "shop", "--output", "text")
    assert "HandlerErrorCode: InvalidRequest" in events.stdout
    assert deploy.run("delete-stack", "--stack-name", "shop").returncode == 0
    assert deploy.run("wait", "stack-delete-complete", "--stack-name", "shop").returncode == 0
