"""Celery with SQS: a task of a real worker, a retry with a countdown, and a poison task in the dead-letter queue."""

import json
import subprocess
import sys
from pathlib import Path

import boto3
from celery import Celery

NAME = "celery_app"
app = Celery(NAME, broker="sqs://")
app.conf.update(
    task_default_queue="work",
    broker_transport_options={"wait_time_seconds": 1, "polling_interval": 0.1},
    task_acks_late=True,
    task_acks_on_failure_or_timeout=False,
    worker_enable_remote_control=False,
)


@app.task(bind=True)
def make(self, drink):
    """Make a drink at the second try; fail always for poison."""
    if drink == "poison":
        raise ValueError(drink)
    if self.request.retries == 0:
        raise self.retry(countdown=1)
    boto3.client("sqs").send_message(QueueUrl=url("results"), MessageBody=f"{drink}, try {self.request.retries + 1}")


def url(name):
    """The URL of a queue."""
    return boto3.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]


def main():
    """Create the queues, run a worker, and compare the ends of both tasks."""
    sqs = boto3.client("sqs")
    sqs.create_queue(QueueName="results")
    dlq = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "2"})
    make.delay("tea")
    make.delay("poison")
    command = [sys.executable, "-m", "celery", "--workdir", str(Path(__file__).parent), "-A", NAME, "worker"]
    command += ["--pool", "solo", "--without-mingle", "--without-gossip", "--loglevel", "ERROR"]
    with subprocess.Popen(command) as worker:
        try:
            made = sqs.receive_message(QueueUrl=url("results"), WaitTimeSeconds=15)["Messages"]
            dead = sqs.receive_message(QueueUrl=dlq, WaitTimeSeconds=15)["Messages"]
        finally:
            worker.terminate()
    assert [each["Body"] for each in made] == ["tea, try 2"], made
    assert len(dead) == 1, dead


if __name__ == "__main__":
    main()
