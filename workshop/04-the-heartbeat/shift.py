"""A shift of three workers that run my_worker.py: one has a long order, another is killed with an order in hand."""

import json
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import boto3
from orderboard.workshop.stage import Event, Stage, StageError, function, play

WORKERS: Final = 3
_SHORT_S: Final = 1.6
_KILLED_AFTER_S: Final = 1.2  # into the short order: a heartbeat has beaten once or twice
_READY_WITHIN_S: Final = 15.0
_TAKEN_OVER_WITHIN_S: Final = 3.0
_LONG_S: Final = 4.6  # a timeout that is long enough for this order is too long for the killed worker's
_DELETED_WITHIN_S: Final = 1.5
_LOOK_S: Final = 0.3
_COUNTS: Final = ("", "NotVisible", "Delayed")


def shift(stage: Stage, queue_url: str) -> None:
    """Send a long order and a short one to a new queue with the settings of the exercise's, and watch the workers."""
    sqs = boto3.client("sqs")
    name = f"{queue_url.rpartition('/')[2]}-{uuid4().hex[:6]}"
    timeout_s = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    url = sqs.create_queue(QueueName=name, Attributes=timeout_s)["QueueUrl"]
    try:
        stage.report("opens", "queue", visibility_timeout_s=int(timeout_s["VisibilityTimeout"]))
        for number in range(1, WORKERS + 1):
            stage.start(f"worker-{number}", _worker(stage, f"worker-{number}", url))
        if not stage.until(lambda: len(stage.found("here")) == WORKERS, _READY_WITHIN_S):
            raise StageError("worker", "its import does not end")
        _watch(stage, sqs, url)
        stage.until(lambda: stage.found("closes"), _READY_WITHIN_S)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _worker(stage: Stage, who: str, queue_url: str) -> Callable[[], None]:
    def make(body: str) -> None:
        order = json.loads(body)
        stage.report("begun", who, order=order["order"])
        time.sleep(order["seconds"])
        stage.report("made", who, order=order["order"])

    def run() -> None:
        work = function("work")
        sqs = boto3.client("sqs")
        stage.report("here", who)
        work(sqs, queue_url, make)
        stage.report("failed", who, error="work has returned: no more orders would be made")

    return run


def _watch(stage: Stage, sqs: Any, url: str) -> None:
    _send(stage, sqs, url, "long", _LONG_S)
    _send(stage, sqs, url, "short", _SHORT_S)
    victim = stage.found("begun", order="short")[0]["who"]
    _until(stage, lambda: _made(stage, "short"), _KILLED_AFTER_S)
    stage.kill(victim)
    stage.report("killed", victim, order="short")
    seen = _until_taken_over(stage, sqs, url)
    if seen == "taken over" and _until(stage, lambda: _made(stage, "long") and _made(stage, "short"), _READY_WITHIN_S):
        deadline = time.monotonic() + _DELETED_WITHIN_S
        while (left := _left(sqs, url)) and time.monotonic() < deadline:
            time.sleep(_LOOK_S / 3)
        stage.report("closes", "queue", seen=seen, left=left)
        return
    stage.report("closes", "queue", seen="begun twice" if _twice(stage) else seen, left=_left(sqs, url))


def _send(stage: Stage, sqs: Any, url: str, order: str, seconds: float) -> None:
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"order": order, "seconds": seconds}))
    stage.report("sent", "queue", order=order, seconds=seconds)
    if not stage.until(lambda: stage.found("begun", order=order), _READY_WITHIN_S):
        raise StageError("worker", f"nobody has begun the {order} order within {_READY_WITHIN_S:g} s")


def _until_taken_over(stage: Stage, sqs: Any, url: str) -> str:
    deadline = time.monotonic() + _TAKEN_OVER_WITHIN_S
    while time.monotonic() < deadline:
        if _taken_over(stage, _LOOK_S):
            return "taken over"
        if _twice(stage):
            return "begun twice"
        if _gone(stage, sqs, url) and not _taken_over(stage, _LOOK_S) and _gone(stage, sqs, url):
            return "gone"
    return "forgotten"


def _taken_over(stage: Stage, within_s: float) -> bool:
    return _until(stage, lambda: len(stage.found("begun", order="short")) > 1, within_s)


def _gone(stage: Stage, sqs: Any, url: str) -> bool:
    """Return whether the queue cannot hold the short order, since it holds the long one at most."""
    return _left(sqs, url) <= (0 if _made(stage, "long") else 1)


def _until(stage: Stage, condition: Callable[[], object], within_s: float) -> bool:
    """Wait as the stage does, but not after the long order was begun twice."""
    stage.until(lambda: condition() or _twice(stage), within_s)
    return bool(condition()) and not _twice(stage)


def _twice(stage: Stage) -> bool:
    """Return whether a worker began the long order although the one that had it was alive."""
    begun = [each["who"] for each in stage.found("begun", order="long")]
    return len(begun) > 1 + bool(stage.found("killed", who=begun[0]))


def _made(stage: Stage, order: str) -> bool:
    return bool(stage.found("made", order=order))


def _left(sqs: Any, url: str) -> int:
    names = [f"ApproximateNumberOfMessages{each}" for each in _COUNTS]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


_WORDS: Final = {
    "opens": "queue     its visibility timeout is {visibility_timeout_s} s",
    "here": "{who:9} is here",
    "sent": "queue     has the {order} order, which takes {seconds:g} s",
    "begun": "{who:9} begins the {order} order",
    "made": "{who:9} has made the {order} order",
    "killed": "{who:9} is KILLED, with the {order} order in hand",
    "failed": "{who:9} cannot work: {error}",
}
_ENDS: Final = {
    "begun twice": "Two workers make the long order at the same time.",
    "taken over": "Both orders are made. Messages that are left in the queue: {left}.",
    "gone": "The short order is lost: nobody makes it, and no queue has it.",
    "forgotten": "The short order is still hidden: nobody has begun it within 3 s after its worker was killed.",
}


def _describe(event: Event) -> str:
    if event["step"] == "closes":
        return _ENDS[event["seen"]].format(**event)
    return _WORDS[event["step"]].format(**event)


if __name__ == "__main__":
    play(shift, _describe, file="my_worker.py", queue="slow")
