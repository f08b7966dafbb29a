"""Messages of schedules, functions and state machines arrive, with a real MiniStack behind localbus."""

from __future__ import annotations

import json
from typing import Any

from support.localbus import ACCOUNT, QueueOf
from support.waiting import poll_until

from .conftest import ROLE, Bench, arrived

NOW = "at(2020-01-01T00:00:00)"  # a schedule of the past runs at once


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


def test_the_context_attributes_of_a_schedule(bench: Bench) -> None:
    """A message has the values of the attributes that its schedule's input names.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    queue = bench.queue()
    names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")
    schedule(bench, {"Arn": queue.arn, "Input": " ".join(f"<aws.scheduler.{name}>" for name in names)})

    arn, time, execution_id, attempt = arrived(queue, 15)[0]["Body"].split()

    assert arn in bench.senders(queue.arn)
    assert (time, len(execution_id), attempt) == ("2020-01-01T00:00:00Z", 36, "1")


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
