"""Stacks with nested stacks and resources of MiniStack, whose localbus is killed after each commit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from support.durable import as_killed
from support.killed_stacks import Stacks

_EVERY = 5  # commits, since each run takes a second


def stream(name: str) -> dict[str, Any]:
    """A resource of the upstream."""
    return {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": name, "ShardCount": 1}}


def topic(stream: str) -> dict[str, Any]:
    """A resource of localbus that refers to one of the upstream."""
    name = {"Fn::Join": ["-", ["of", {"Fn::Select": ["5", {"Fn::Split": [":", {"Fn::GetAtt": [stream, "Arn"]}]}]}]]}
    return {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}


CHILD = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "Inner": stream("inner"), "Topic": topic("Inner")}}


def template(version: int) -> str:
    """A template with a nested stack, and a stream whose number of shards changes."""
    url = f"https://s3.us-east-1.amazonaws.com/killed/child-{version}.json"
    resources = {
        "Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}},
        "Stream": stream("outer"),
        f"Stream{version}": stream(f"outer-{version}"),
        "Topic": topic(f"Stream{version}"),
    }
    return json.dumps({"Resources": resources, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Stream", "Arn"]}}}})


@pytest.fixture
def upstream(ministack: str) -> Iterator[str]:
    """A MiniStack with the templates of nested stacks."""
    s3 = _behind(ministack, "s3", config=Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="killed")
    for version in (1, 2):
        child = CHILD | {"Outputs": {"Version": {"Value": str(version)}}}
        child["Resources"] = CHILD["Resources"] | {f"Only{version}": {"Type": "AWS::SQS::Queue"}}
        s3.put_object(Bucket="killed", Key=f"child-{version}.json", Body=json.dumps(child).encode())
    yield ministack
    for stack in _behind(ministack, "cloudformation").describe_stacks()["Stacks"]:
        _behind(ministack, "cloudformation").delete_stack(StackName=stack["StackId"])


def _behind(url: str, service: str, **given: Any) -> Any:
    make: Any = boto3.client
    credentials = {"aws_access_key_id": "000000000000", "aws_secret_access_key": "any"}
    return make(service, endpoint_url=url, region_name="us-east-1", **credentials, **given)


def streams(upstream: str) -> set[str]:
    """The streams of the upstream."""
    return set(_behind(upstream, "kinesis").list_streams()["StreamNames"])


@pytest.mark.parametrize("version", [1, 2])
def test_a_kill_after_some_commits(tmp_path: Path, upstream: str, version: int) -> None:
    """The operation goes on to its end, here and at the upstream, which may have got a request that has no answer."""
    for commits in itertools.count(version, _EVERY):
        with Stacks(tmp_path / str(commits), upstream=upstream) as engine:
            if version == 2:
                engine.deploy("CreateStack", TemplateBody=template(1))
            action = "CreateStack" if version == 1 else "UpdateStack"
            was_killed = engine.kill_after(commits, action, TemplateBody=template(version))
            engine.settle()

            stacks = engine.stacks()
            assert {one.status for one in stacks} == {f"{action[:6].upper()}_COMPLETE"}, commits
            assert engine.inventory() == engine.in_stacks()
            assert engine.stored() == engine.live()
            assert streams(upstream) == {"inner", "outer", f"outer-{version}"}
            engine.deploy("DeleteStack")
            assert {one.status for one in stacks} == {"DELETE_COMPLETE"}
            assert (engine.inventory(), streams(upstream)) == (set(), set())
        if not was_killed:
            assert commits > _EVERY
            return


def test_a_restart_without_the_upstream(tmp_path: Path, upstream: str) -> None:
    """The stack is not deleted as if its upstream part were gone; the reason names the fix, and then it is."""
    with Stacks(tmp_path, upstream=upstream) as engine:
        engine.deploy("CreateStack", TemplateBody=json.dumps({"Resources": {"Stream": stream("outer")}}))
    data = tmp_path / "again"
    as_killed(tmp_path / "0", data / "0")
    with Stacks(data) as engine:
        engine.deploy("DeleteStack")

        [stack] = engine.stacks()
        assert (stack.status, streams(upstream)) == ("DELETE_FAILED", {"outer"})
        assert "--upstream URL" in stack.resources["Stream"].reason
    with Stacks(data, upstream=upstream) as engine:
        engine.deploy("DeleteStack")

        assert (engine.stacks()[0].status, streams(upstream)) == ("DELETE_COMPLETE", set())
