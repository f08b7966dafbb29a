"""Messages that services of the upstream send arrive: end to end, with a real MiniStack behind localbus."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.localbus import ACCOUNT, QueueOf, refused
from support.waiting import poll_until

from .conftest import ROLE, Bench, arrived

NOW = "at(2020-01-01T00:00:00)"  # a schedule of the past runs at once


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


def test_schedules(bench: Bench) -> None:
    """Schedules send to a queue, a FIFO queue, a topic and a bus, whose event has the target's source.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
    """
    queue, fifo = bench.queue(), bench.queue(suffix=".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    (topic_arn, from_topic), bus = bench.topic(), bench.name()
    from_bus = bench.rule(bus, source=["shop"])
    bus_arn = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{bus}"
    targets: dict[str, dict[str, Any]] = {
        queue.arn: {},
        fifo.arn: {"SqsParameters": {"MessageGroupId": "g"}},
        topic_arn: {},
        bus_arn: {"EventBridgeParameters": {"Source": "shop", "DetailType": "Opened"}},
    }
    for arn, parameters in targets.items():
        schedule(bench, {"Arn": arn, **parameters})

    messages = [arrived(one, 15)[0] for one in (queue, fifo, from_topic, from_bus)]

    event = json.loads(messages.pop()["Body"])
    assert [json.loads(message["Body"]) for message in messages] == [{"open": True}] * 3
    assert messages[1]["Attributes"]["MessageGroupId"] == "g"
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "Opened", {"open": True})
    assert bench.senders(queue.arn) < {
        f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/default/n{n}" for n in range(99)
    }


def schedule(bench: Bench, target: dict[str, Any]) -> None:
    """Create a schedule that runs at once."""
    target = {"RoleArn": ROLE, "Input": '{"open": true}', **target}
    window = {"Mode": "OFF"}
    bench.client("scheduler").create_schedule(
        Name=bench.name(), ScheduleExpression=NOW, FlexibleTimeWindow=window, Target=target
    )


def test_the_dead_letters_of_a_schedule(bench: Bench) -> None:
    """A message for a queue that does not exist goes to the dead-letter queue of its schedule.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    dead_letters = bench.queue()
    missing = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{bench.name('missing')}"
    schedule(bench, {"Arn": missing, "DeadLetterConfig": {"Arn": dead_letters.arn}})

    message = arrived(dead_letters, 15)[0]

    assert message["Body"] == '{"open": true}'
    assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == missing


def test_the_dead_letters_of_a_function(bench: Bench) -> None:
    """A dead letter is the event of the invocation, with the error in attributes.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    queue = bench.queue()
    name = bench.failing_function(DeadLetterConfig={"TargetArn": queue.arn})

    bench.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"order": 1}')

    message = arrived(queue, 15)[0]
    assert json.loads(message["Body"]) == {"order": 1}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "as asked"
    assert bench.senders(queue.arn) == {f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"}


def test_the_destinations_of_a_function(bench: Bench) -> None:
    """A queue or topic as destination gets the record of a failed invocation."""
    (topic_arn, from_topic), queue, name = bench.topic(), bench.queue(), bench.failing_function()
    for arn, from_target in ((queue.arn, queue), (topic_arn, from_topic)):
        destinations = {"OnFailure": {"Destination": arn}}
        functions = bench.client("lambda")
        functions.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=destinations
        )

        functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"order": 1}')

        record = json.loads(arrived(from_target, 15)[0]["Body"])
        assert (record["requestPayload"], record["requestContext"]["condition"]) == ({"order": 1}, "RetriesExhausted")


def run(bench: Bench, *states: tuple[str, dict[str, Any]], given: str = "{}") -> dict[str, Any]:
    """Run a state machine of tasks one after another, and return its output."""
    machine = {
        "StartAt": "0",
        "States": {
            str(at): {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}
            | ({"End": True} if at == len(states) - 1 else {"Next": str(at + 1), "ResultPath": f"$.r{at}"})
            for at, (resource, parameters) in enumerate(states)
        },
    }
    steps = bench.client("stepfunctions")
    arn = steps.create_state_machine(name=bench.name(), roleArn=ROLE, definition=json.dumps(machine))["stateMachineArn"]
    execution: dict[str, Any] = steps.start_execution(stateMachineArn=arn, input=given)
    return execution


def test_state_machines(bench: Bench) -> None:
    """Tasks send to a queue, publish to a topic and put events.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html
    """
    (topic_arn, from_topic), queue, bus = bench.topic(), bench.queue(), bench.name()
    from_bus = bench.rule(bus, source=["shop"])
    entry = {"Source": "shop", "DetailType": "Opened", "Detail": {"a": 1}, "EventBusName": bus}

    run(
        bench,
        ("sqs:sendMessage", {"QueueUrl": queue.url, "MessageBody": {"a": 1}}),
        ("sns:publish", {"TopicArn": topic_arn, "Message": "b"}),
        ("events:putEvents", {"Entries": [entry]}),
    )

    assert json.loads(arrived(queue)[0]["Body"]) == {"a": 1}
    assert arrived(from_topic)[0]["Body"] == "b"
    assert json.loads(arrived(from_bus)[0]["Body"])["detail"] == {"a": 1}


def test_a_task_token(bench: Bench) -> None:
    """A task waits until a consumer of the queue has returned its token, and then goes on."""
    queue = bench.queue()
    message = {"token.$": "$$.Task.Token"}
    execution = run(bench, ("sqs:sendMessage.waitForTaskToken", {"QueueUrl": queue.url, "MessageBody": message}))
    token = json.loads(arrived(queue)[0]["Body"])["token"]

    steps = bench.client("stepfunctions")
    steps.send_task_success(taskToken=token, output='{"made": true}')

    def output() -> Any:
        return steps.describe_execution(executionArn=execution["executionArn"]).get("output")

    assert json.loads(poll_until(output)) == {"made": True}


def test_a_computed_queue(bench: Bench) -> None:
    """A queue that only the execution's input names gets the message, also one created after the state machine."""
    first = bench.queue()
    parameters = {"QueueUrl.$": "$.url", "MessageBody": "tea"}
    for queue in (first, bench.queue()):
        run(bench, ("sqs:sendMessage", parameters), given=json.dumps({"url": queue.url}))

        assert arrived(queue)[0]["Body"] == "tea"


def test_a_missing_queue_fails_the_task(bench: Bench) -> None:
    """A task that sends to a queue that does not exist fails, and once the queue exists it sends."""
    name = bench.name()
    url = f"{bench.url}/{ACCOUNT}/{name}"
    parameters = {"QueueUrl": url, "MessageBody": "tea"}
    execution = run(bench, ("sqs:sendMessage", parameters))
    steps = bench.client("stepfunctions")

    def failed() -> bool:
        return bool(steps.describe_execution(executionArn=execution["executionArn"])["status"] == "FAILED")

    assert poll_until(failed)
    sqs = bench.client("sqs")
    queue = QueueOf(sqs, sqs.create_queue(QueueName=name)["QueueUrl"], "")
    run(bench, ("sqs:sendMessage", parameters))
    assert arrived(queue)[0]["Body"] == "tea"


def test_alarms(bench: Bench) -> None:
    """A topic gets the change of an alarm's state.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    (topic_arn, queue), metrics, name = bench.topic(), bench.client("cloudwatch"), bench.name()
    metrics.put_metric_alarm(
        AlarmName=name,
        AlarmActions=[topic_arn],
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="orders",
        Namespace="shop",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )

    metrics.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")

    assert json.loads(arrived(queue)[0]["Body"])["NewStateValue"] == "ALARM"
    assert bench.senders(topic_arn) == {f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{name}"}


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


def test_a_topic_that_is_made_again(bench: Bench) -> None:
    """A topic that is deleted and made again gets its messages."""
    (topic_arn, from_topic), sns = bench.topic(), bench.client("sns")
    run(bench, ("sns:publish", {"TopicArn": topic_arn, "Message": "first"}))
    assert arrived(from_topic)[0]["Body"] == "first"
    sns.delete_topic(TopicArn=topic_arn)
    sns.create_topic(Name=topic_arn.rpartition(":")[2])
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=from_topic.arn, Attributes=raw)
    run(bench, ("sns:publish", {"TopicArn": topic_arn, "Message": "second"}))

    assert arrived(from_topic)[0]["Body"] == "second"
