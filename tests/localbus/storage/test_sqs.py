"""Queues of an engine that is killed at any point of any action: everything acknowledged is there, nothing is half."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from localbus.sqs.fifo_queue import FifoQueue
from localbus.sqs.message import State
from support.durable import DurableEngine, Moment
from support.killed_engine import MOMENTS, KilledEngine

URL = "http://localhost/000000000000/"
ARN = "arn:aws:sqs:us-east-1:000000000000:"
QUEUES = ["work", "dead", "work.fifo", "dead.fifo", "extra", "extra.fifo"]


def everything(durable: DurableEngine) -> dict[str, Any]:
    """Return all that SQS has: queues, their messages in the order in which each group is received, and windows."""
    sqs, now = durable.engine.sqs, durable.clock.now()
    found: dict[str, Any] = {}
    for record in sqs.queues:
        queue = record.queue
        messages: dict[str | None, list[Any]] = {}
        for message in queue.peek():
            receives = (message.receive_count, message.receive_number, message.receives_uncounted)
            until = (
                None
                if message.state is State.VISIBLE or (queue.is_fifo and message.state is State.DELAYED)
                else message.until
            )
            messages.setdefault(message.group_id if queue.is_fifo else None, []).append(
                (
                    message.message_id,
                    message.body,
                    message.attributes,
                    message.state.name,
                    until,
                    receives,
                    message.sent_at,
                    message.first_received_at,
                    message.deduplication_id,
                    message.sequence_number,
                    message.source_arn,
                )
            )
        if not queue.is_fifo:  # AWS promises no order, and three receives put a message at the back
            messages = {group: sorted(each) for group, each in messages.items()}
        found[queue.arn] = {**copy.deepcopy(record.document()), "messages": messages}
        if isinstance(queue, FifoQueue):
            queue._sent.get("", now)
            queue._attempts.get("", now)
            attempts = {key: value[1].document() for key, value in queue._attempts._values.items()}
            found[queue.arn] |= {"sent": dict(queue._sent._values), "attempts": attempts}
    found["deleted"] = dict(sqs.queues._deleted_at)
    found["tasks"] = [
        task._stored() | {"id": task.task_id, "running": None}
        for tasks in sqs.move_tasks.values()
        for task in tasks
        if task.source in list(sqs.queues)
    ]
    return found


class KilledQueues(KilledEngine):
    """Any actions on two queues with dead-letter queues; each may be the one in which the engine is killed."""

    @initialize()
    def start(self) -> None:
        """Create the queues."""
        self.begin()
        self.handles: list[str] = []
        for name in ("dead", "work", "dead.fifo", "work.fifo"):
            attributes = {"VisibilityTimeout": "30", "MessageRetentionPeriod": "3600"}
            attributes |= {"FifoQueue": "true"} if name.endswith(".fifo") else {}
            if name.startswith("work"):
                dead = name.replace("work", "dead")
                attributes["RedrivePolicy"] = f'{{"deadLetterTargetArn": "{ARN}{dead}", "maxReceiveCount": 2}}'
            self.durable.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes)

    def everything(self) -> dict[str, Any]:
        """Return all that SQS has."""
        return dict(self.durable.run(lambda: everything(self.durable)))

    @rule(
        kill=st.sampled_from([None, None, None, *MOMENTS]),
        action=st.one_of(
            st.tuples(st.just("send"), st.sampled_from(QUEUES), st.integers(1, 4), st.sampled_from([0, 0, 20])),
            st.tuples(st.just("receive"), st.sampled_from(QUEUES), st.integers(1, 4), st.sampled_from([None, 0, 5])),
            st.tuples(st.just("delete"), st.integers(0, 30)),
            st.tuples(st.just("visibility"), st.integers(0, 30), st.sampled_from([0, 10, 100])),
            st.tuples(st.just("advance"), st.sampled_from([1, 5, 29, 31, 200, 301])),
            st.tuples(st.just("purge"), st.sampled_from(QUEUES)),
            st.tuples(st.just("tag"), st.sampled_from(QUEUES), st.text("ab", min_size=1, max_size=3)),
            st.tuples(st.just("untag"), st.sampled_from(QUEUES)),
            st.tuples(st.just("set"), st.sampled_from(QUEUES), st.integers(0, 60)),
            st.tuples(st.just("redrive"), st.sampled_from(["dead", "dead.fifo"]), st.sampled_from([None, 1])),
            st.tuples(st.just("recreate"), st.sampled_from(["extra", "extra.fifo"])),
        ),
    )
    def act(self, kill: Moment | None, action: tuple[Any, ...]) -> None:
        """Act, and compare the engine before and after the kill, if there is one."""
        if kill is None:
            self.do(*action)
            return
        engine = self.durable.engine

        self.kill_in(kill, lambda: self.do(*action))

        for record in engine.sqs.queues:
            former, now = record.queue, self.durable.engine.sqs.queues.by_arn(record.queue.arn)
            if isinstance(former, FifoQueue) and now is not None and isinstance(now.queue, FifoQueue):
                acknowledged = kill != "before the commit"
                assert now.queue.sequence >= former.sequence or not acknowledged, "sequence numbers only grow"

    def do(self, kind: str, *given: Any) -> None:  # noqa: PLR0912 (a table of actions)
        """Do one action."""
        call = self.durable.call
        match (kind, *given):
            case "send", str(queue), int(count), int(delay_s):
                entries: list[dict[str, Any]] = []
                for number in range(count):
                    entry: dict[str, Any] = {"Id": str(number), "MessageBody": f"{queue} {number}"}
                    entry["MessageAttributes"] = {"a": {"DataType": "Binary", "BinaryValue": "AP8="}}
                    if queue.endswith(".fifo"):
                        entry |= {"MessageGroupId": str(number % 2), "MessageDeduplicationId": f"{number}-{delay_s}"}
                    else:
                        entry["DelaySeconds"] = delay_s
                    entries.append(entry)
                call("sqs", "SendMessageBatch", QueueUrl=URL + queue, Entries=entries)
            case "receive", str(queue), int(limit), timeout_s:
                optional: dict[str, Any] = {} if timeout_s is None else {"VisibilityTimeout": timeout_s}
                if queue.endswith(".fifo"):
                    optional["ReceiveRequestAttemptId"] = f"attempt {limit}"
                answer = call("sqs", "ReceiveMessage", QueueUrl=URL + queue, MaxNumberOfMessages=limit, **optional)
                self.handles += [f"{queue} {each['ReceiptHandle']}" for each in answer.get("Messages", [])]
            case "delete", int(number):
                for queue, handle in self.handle(number):
                    call("sqs", "DeleteMessage", QueueUrl=URL + queue, ReceiptHandle=handle)
            case "visibility", int(number), int(seconds):
                for queue, handle in self.handle(number):
                    call(
                        "sqs",
                        "ChangeMessageVisibility",
                        QueueUrl=URL + queue,
                        ReceiptHandle=handle,
                        VisibilityTimeout=seconds,
                    )
            case "advance", int(seconds):
                self.durable.advance(seconds)
            case "purge", str(queue):
                call("sqs", "PurgeQueue", QueueUrl=URL + queue)
            case "tag", str(queue), str(key):
                call("sqs", "TagQueue", QueueUrl=URL + queue, Tags={key: "value"})
            case "untag", str(queue):
                call("sqs", "UntagQueue", QueueUrl=URL + queue, TagKeys=["a", "b"])
            case "set", str(queue), int(seconds):
                call("sqs", "SetQueueAttributes", QueueUrl=URL + queue, Attributes={"VisibilityTimeout": str(seconds)})
            case "redrive", str(queue), rate:
                optional = {} if rate is None else {"MaxNumberOfMessagesPerSecond": rate}
                call("sqs", "StartMessageMoveTask", SourceArn=ARN + queue, **optional)
            case "recreate", str(queue):
                fifo = {"FifoQueue": "true"} if queue.endswith(".fifo") else {}
                if "QueueUrl" in call("sqs", "GetQueueUrl", QueueName=queue):
                    call("sqs", "DeleteQueue", QueueUrl=URL + queue)
                else:
                    call("sqs", "CreateQueue", QueueName=queue, Attributes=fifo)
            case _:
                raise AssertionError(kind)

    def handle(self, number: int) -> list[tuple[str, str]]:
        """Return the queue and the handle of one of the receives, also of long past ones."""
        if not self.handles:
            return []
        queue, _, handle = self.handles[-1 - number % len(self.handles)].partition(" ")
        return [(queue, handle)]


TestKilledQueues = KilledQueues.TestCase
TestKilledQueues.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
