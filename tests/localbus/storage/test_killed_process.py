"""A localbus process under load that is killed again and again: what it has answered is true afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from orderboard_stack.process import free_port
from support.waiting import poll_until
from support.web_server import WebServer

KILLS = 4
SENDERS, RECEIVERS = 2, 2
FIFO = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}


@contextmanager
def started(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A localbus on a data folder."""
    command = [sys.executable, "-m", "localbus", "--port", str(port), "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "listens on" in process.stdout.readline()
            yield process
        finally:
            process.kill()


class Load:
    """Threads that send to a queue and receive from it, and keep what was acknowledged to them."""

    def __init__(self, port: int, queue: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/000000000000/{queue}"
        self.sent: set[str] = set()
        self.unknown: set[str] = set()  # of requests without an answer
        self.received: Counter[str] = Counter()
        self.deleted: set[str] = set()
        self.after_deletion: list[str] = []
        self.is_over = threading.Event()
        self._progress = threading.Semaphore(0)

    def client(self, service: str = "sqs") -> Any:
        """Return a client without retries: each failure is seen."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="000000000000",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )

    def send(self, sender: int) -> None:
        """Send messages until the end."""
        sqs, number = self.client(), 0
        while not self.is_over.is_set():
            bodies = [f"{sender}-{number + at}" for at in range(10)]
            number += 10
            group = {"MessageGroupId": str(sender)} if self.url.endswith(".fifo") else {}
            entries = [{"Id": str(at), "MessageBody": body, **group} for at, body in enumerate(bodies)]
            try:
                answer = sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
                self.sent |= {bodies[int(each["Id"])] for each in answer["Successful"]}
                self._progress.release()
            except (BotoCoreError, ClientError):
                self.unknown |= set(bodies)

    def receive(self) -> None:
        """Receive and delete messages until the end."""
        sqs = self.client()
        while not self.is_over.is_set():
            try:
                self.receive_once(sqs, wait_s=1)
            except (BotoCoreError, ClientError):
                continue

    def receive_once(self, sqs: Any, wait_s: int = 0) -> bool:
        """Receive and delete one batch. Return whether there was one."""
        deleted = self.deleted.copy()  # before the request, as another receiver may delete while it waits
        messages = sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=1, WaitTimeSeconds=wait_s
        ).get("Messages", [])
        self.after_deletion += [each["Body"] for each in messages if each["Body"] in deleted]
        self.received.update(each["Body"] for each in messages)
        if messages:
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            answer = sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
            self.deleted |= {messages[int(each["Id"])]["Body"] for each in answer.get("Successful", [])}
        return bool(messages)

    def wait_for_progress(self, batches: int) -> None:
        """Wait until so many more batches were acknowledged."""
        for _ in range(batches):
            assert self._progress.acquire(timeout=30)


@pytest.mark.parametrize("queue", ["work", "work.fifo"])
def test_nothing_acknowledged_is_lost_or_comes_back(tmp_path: Path, queue: str) -> None:
    """Through four kills: each message of an acknowledged send arrives, and none comes back after its deletion."""
    port = free_port()
    load = Load(port, queue)
    threads = [threading.Thread(target=load.send, args=(number,)) for number in range(SENDERS)]
    threads += [threading.Thread(target=load.receive) for _ in range(RECEIVERS)]
    for kill in range(KILLS):
        with started(tmp_path, port) as process:
            if kill == 0:
                load.client().create_queue(QueueName=queue, Attributes=FIFO if queue.endswith(".fifo") else {})
                for thread in threads:
                    thread.start()
            load.wait_for_progress(15)
            process.kill()
    load.is_over.set()
    with started(tmp_path, port):
        for thread in threads:
            thread.join()
        drain(load)

    assert len(load.sent) >= KILLS * 100
    assert load.sent <= load.received.keys(), "lost"
    assert load.received.keys() <= load.sent | load.unknown
    assert not load.after_deletion, "came back"


def drain(load: Load) -> None:
    """Receive until the queue is empty, also of what is in flight."""
    sqs = load.client()
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while any(int(n) for n in sqs.get_queue_attributes(QueueUrl=load.url, AttributeNames=names)["Attributes"].values()):
        load.receive_once(sqs, wait_s=1)


def test_each_publish_that_was_acknowledged_reaches_its_web_server(tmp_path: Path) -> None:
    """Through two kills: deliveries by HTTP that had not begun, or were under way, are made after the restart."""
    port, web = free_port(), WebServer()
    load = Load(port, "t")
    sns = load.client("sns")
    thread = threading.Thread(target=publish, args=(load,))
    for kill in range(2):
        with started(tmp_path, port) as process:
            if kill == 0:
                topic = sns.create_topic(Name="t")["TopicArn"]
                sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url)
                token = json.loads(poll_until(lambda: web.requests)[0].body)["Token"]
                sns.confirm_subscription(TopicArn=topic, Token=token)
                thread.start()
            load.wait_for_progress(5)
            process.kill()
    load.is_over.set()

    def arrived() -> set[str]:
        return {json.loads(request.body)["Message"] for request in list(web.requests)}

    with started(tmp_path, port):
        thread.join()
        poll_until(lambda: load.sent <= arrived(), within_s=30)
    web.stop()
    assert len(load.sent) >= 100


def publish(load: Load) -> None:
    """Publish batches until the end."""
    sns, number = load.client("sns"), 0
    while not load.is_over.is_set():
        messages = [str(number + at) for at in range(10)]
        number += 10
        entries = [{"Id": str(at), "Message": message} for at, message in enumerate(messages)]
        try:
            answer = sns.publish_batch(
                TopicArn="arn:aws:sns:us-east-1:000000000000:t", PublishBatchRequestEntries=entries
            )
            load.sent |= {messages[int(each["Id"])] for each in answer["Successful"]}
            load._progress.release()
        except (BotoCoreError, ClientError):
            load.unknown |= set(messages)
