"""Powertools for AWS Lambda behind a mapping: batches of a standard and of a FIFO queue, with partial failures."""

import io
import json
import time
import zipfile
from importlib.metadata import distribution

import boto3

HANDLER = """
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, SqsFifoPartialProcessor
from aws_lambda_powertools.utilities.batch import process_partial_response

def work(record):  # Powertools passes it by this name
    if record.body == "poison":
        raise ValueError(record.body)

def standard(event, context):
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, work, processor, context)

def fifo(event, context):
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    return process_partial_response(event, work, processor, context)
"""
sqs, functions = boto3.client("sqs"), boto3.client("lambda")


def package() -> bytes:
    """The handler with Powertools and what it needs, as a zip."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("app.py", HANDLER)
        for name in ("aws-lambda-powertools", "jmespath", "typing-extensions"):
            found = distribution(name)
            for each in found.files or ():
                if each.suffix == ".py" or "dist-info" in str(each):
                    file.write(str(found.locate_file(each)), str(each))
    return written.getvalue()


def queues(name: str, suffix: str, attributes: dict[str, str]) -> tuple[str, str, str]:
    """The URL and ARN of a queue, and the URL of its dead letters: what was received twice."""
    dlq = sqs.create_queue(QueueName=f"{name}-dlq{suffix}", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    more = {"RedrivePolicy": redrive, "VisibilityTimeout": "3"}
    url = sqs.create_queue(QueueName=f"{name}{suffix}", Attributes=attributes | more)["QueueUrl"]
    return url, arn.replace("-dlq", ""), dlq


code = package()
for name, suffix, attributes in (
    ("standard", "", {}),
    ("fifo", ".fifo", {"FifoQueue": "true", "ContentBasedDeduplication": "true"}),
):
    url, arn, dlq = queues(name, suffix, attributes)
    functions.create_function(
        FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::000000000000:role/r", Handler=f"app.{name}",
        Code={"ZipFile": code}, Timeout=3, Environment={"Variables": {"POWERTOOLS_SERVICE_NAME": "shop"}},
    )  # fmt: skip
    functions.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    for body in ("tea", "poison", "coffee"):
        sqs.send_message(QueueUrl=url, MessageBody=body, **({"MessageGroupId": body} if suffix else {}))
    dead = sqs.receive_message(QueueUrl=dlq, WaitTimeSeconds=20).get("Messages", [])
    assert [each["Body"] for each in dead] == ["poison"], (name, dead)
    shown = {"AttributeNames": ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]}
    deadline = time.monotonic() + 10
    while set((left := sqs.get_queue_attributes(QueueUrl=url, **shown)["Attributes"]).values()) != {"0"}:
        assert time.monotonic() < deadline, (name, left)
        time.sleep(0.1)
