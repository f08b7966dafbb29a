"""Notifications of S3 arrive, also those that a stack configures, with a real MiniStack behind localbus."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.localbus import QueueOf, refused
from support.waiting import poll_until

from .conftest import ROLE, Bench, arrived


def bucket(bench: Bench) -> str:
    """Create a bucket."""
    name = f"bucket-{bench.name()}"
    bench.client("s3").create_bucket(Bucket=name)
    return name


def notify(bench: Bench, name: str, **configuration: Any) -> None:
    """Set the notifications of a bucket."""
    bench.client("s3").put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)


def test_s3_to_a_queue(bench: Bench) -> None:
    """A queue gets the test event and the notifications of a bucket.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/NotificationHowTo.html
    """
    name, queue = bucket(bench), bench.queue(allows="s3")
    notify(bench, name, QueueConfigurations=[{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}])
    assert json.loads(arrived(queue)[0]["Body"])["Event"] == "s3:TestEvent"

    bench.client("s3").put_object(Bucket=name, Key="beans.txt", Body=b"x")

    record = json.loads(arrived(queue)[0]["Body"])["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "beans.txt")
    assert bench.senders(queue.arn) == {f"arn:aws:s3:::{name}"}


def test_s3_to_a_topic(bench: Bench) -> None:
    """A topic gets the notifications of a bucket, and its subscriptions get them from the topic."""
    (topic_arn, queue), name = bench.topic(allows="s3"), bucket(bench)

    notify(bench, name, TopicConfigurations=[{"TopicArn": topic_arn, "Events": ["s3:ObjectCreated:*"]}])

    assert json.loads(arrived(queue)[0]["Body"])["Bucket"] == name
    assert bench.senders(topic_arn) == {f"arn:aws:s3:::{name}"}


def test_s3_to_eventbridge(bench: Bench) -> None:
    """The default bus gets the events of a bucket.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
    """
    queue, name = bench.rule(source=["aws.s3"]), bucket(bench)
    notify(bench, name, EventBridgeConfiguration={})

    bench.client("s3").put_object(Bucket=name, Key="beans.txt", Body=b"x")

    event = json.loads(arrived(queue)[0]["Body"])
    assert (event["detail-type"], event["resources"]) == ("Object Created", [f"arn:aws:s3:::{name}"])


@pytest.mark.parametrize("allows", ["", "sns"])
def test_s3_needs_the_policy_of_the_queue(bench: Bench, allows: str) -> None:
    """A bucket's notifications need a queue that exists and that allows S3."""
    queue, name = bench.queue(allows=allows), bucket(bench)
    for arn, reason in ((queue.arn, "do not allow S3"), (f"{queue.arn}-missing", "does not exist")):
        wanted = [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]

        code, message = refused(notify, bench=bench, name=name, QueueConfigurations=wanted)

        assert (code, reason in message) == ("InvalidArgument", True)


def test_s3_needs_a_function_that_exists(bench: Bench) -> None:
    """A function that does not exist is refused as the target of a bucket's notifications, unless the check is skipped.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
    """
    name, arn = bucket(bench), "arn:aws:lambda:us-east-1:000000000000:function:missing"
    wanted = [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]

    code, message = refused(notify, bench=bench, name=name, LambdaFunctionConfigurations=wanted)

    assert (code, f"{arn}: The destination function does not exist" in message) == ("InvalidArgument", True)
    bench.client("s3").put_bucket_notification_configuration(
        Bucket=name,
        NotificationConfiguration={"LambdaFunctionConfigurations": wanted},
        SkipDestinationValidation=True,
    )


def test_s3_does_not_send_to_a_fifo_queue(bench: Bench) -> None:
    """A FIFO queue is refused as the target of a bucket's notifications.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
    """
    queue = bench.queue(allows="s3", suffix=".fifo", FifoQueue="true")
    wanted = [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]

    code, message = refused(notify, bench=bench, name=bucket(bench), QueueConfigurations=wanted)

    assert (code, "FIFO" in message) == ("InvalidArgument", True)


def test_a_stack(bench: Bench) -> None:
    """Resources that the upstream deploys for a stack send to those that localbus deploys."""
    stacks, name = bench.client("cloudformation"), bench.name()
    policy = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    document = {"Statement": [policy | {"Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}]}
    notification = {"Event": "s3:ObjectCreated:*", "Queue": {"Fn::GetAtt": ["Queue", "Arn"]}}
    template = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document},
            },
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "DependsOn": "Policy",
                "Properties": {
                    "BucketName": f"stack-{name}",
                    "NotificationConfiguration": {"QueueConfigurations": [notification]},
                },
            },
        },
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}, "Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    }
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    given = {one["OutputKey"]: one["OutputValue"] for one in outputs}
    queue = QueueOf(bench.client("sqs"), given["Url"], given["Arn"])

    bench.client("s3").put_object(Bucket=f"stack-{name}", Key="beans.txt", Body=b"x")

    bodies = [json.loads(message["Body"]) for message in arrived(queue)]
    bodies += [] if any("Records" in body for body in bodies) else [json.loads(arrived(queue)[0]["Body"])]
    assert bodies[-1]["Records"][0]["s3"]["object"]["key"] == "beans.txt"


def test_a_refusal_in_a_stack(bench: Bench) -> None:
    """A resource whose messages would be lost fails, with the reason in its event."""
    stacks, name, queue = bench.client("cloudformation"), bench.name(), bench.queue()
    pipe = {"Type": "AWS::Pipes::Pipe", "Properties": {"Source": queue.arn, "Target": queue.arn, "RoleArn": ROLE}}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Pipe": pipe}}))

    def reasons() -> list[str]:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        return [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]

    assert "A pipe from sqs is not implemented" in poll_until(reasons)[0]
