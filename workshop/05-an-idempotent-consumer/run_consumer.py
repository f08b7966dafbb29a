"""Receives the messages of a queue, and calls `handle` of the attendee's my_consumer.py with each, until it is ended.

By hand it makes a queue and a table for trials, and shows each step. The check gives its own, and a report file.
"""

import argparse
import importlib.util
import json
import os
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from orderboard.errors import RigError

_PAUSE_S: Final = 0.02  # after a message that was not handled
_NAME_IS_FREE_S: Final = 10  # at the latest after six of them
_FAILED: Final = 3


def main() -> None:
    """Run until SIGTERM, SIGKILL or Ctrl-C."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--file", type=Path, help="my_consumer.py, by default the one of this workshop")
    options.add_argument("--queue-url", help="by default the exercise's queue")
    options.add_argument("--table", help="by default the exercise's table")
    options.add_argument("--report", type=Path, help="a file for one JSON line each step; by default they are shown")
    given = options.parse_args()
    if given.queue_url is None:
        try:
            _use_the_exercise(given)
        except (RigError, ClientError, KeyboardInterrupt) as exc:
            raise SystemExit(str(exc)) from exc
    report = _reporter(given.report)
    try:
        handle = _handler(given.file)
    except BaseException as exc:  # the attendee's file may do anything, such as sys.exit
        report("failed", error=_last_line(exc))
        traceback.print_exc()
        raise SystemExit(_FAILED) from exc
    with suppress(KeyboardInterrupt):
        _consume(given, handle, report)


def _consume(given: Any, handle: Callable[..., object], report: Callable[..., None]) -> None:
    sqs, table = boto3.client("sqs"), boto3.resource("dynamodb").Table(given.table)
    report("ready")
    parent = os.getppid()
    while os.getppid() == parent:  # else the check, or the terminal, was killed
        received = sqs.receive_message(
            QueueUrl=given.queue_url, WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        for message in received:
            report("received", body=message["Body"])
            try:
                handle(message, sqs, given.queue_url, table)
            except Exception as exc:  # noqa: BLE001 - the attendee's code
                report("raised", error=_last_line(exc))
                traceback.print_exc()
                with suppress(ClientError, BotoCoreError):
                    sqs.change_message_visibility(
                        QueueUrl=given.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                    )
                time.sleep(_PAUSE_S)
            else:
                report("handled")


def _handler(path: Path) -> Callable[..., object]:
    spec = importlib.util.spec_from_file_location("my_consumer", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handle = getattr(module, "handle", None)
    if not callable(handle):
        raise ImportError("the file has no function `handle`")  # noqa: TRY004
    return handle  # type: ignore[no-any-return]


def _reporter(path: Path | None) -> Callable[..., None]:
    if path is None:
        return lambda step, **details: print(step, *details.values(), flush=True)
    file = path.open("a", encoding="utf-8", buffering=1)
    return lambda step, **details: print(json.dumps({"step": step, **details}), file=file)


def _use_the_exercise(given: Any) -> None:
    """Fill in what was not given, and lead every AWS client of this process to the running system."""
    from orderboard.system.client_environment import client_environment  # noqa: PLC0415 - the check does without it
    from orderboard.system.connect import connect, running  # noqa: PLC0415
    from orderboard.system.workspace import find_workspace  # noqa: PLC0415
    from orderboard.workshop.workshop import Workshop  # noqa: PLC0415

    target, name = connect(), f"{running()[1].prefix}-workshop-events"
    for variable, value in client_environment(target.endpoint, os.environ).items():
        os.environ.pop(variable, None)
        os.environ |= {} if value is None else {variable: value}
    given.file = given.file or Workshop(find_workspace()).files / "my_consumer.py"
    given.queue_url, given.table = _queue(target.sqs, name), name
    with suppress(target.dynamodb.exceptions.ResourceInUseException):  # it is there
        target.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    print(f"{given.file} consumes the queue {name}, and has the table {name}. Ctrl-C ends it.", flush=True)


def _queue(sqs: Any, name: str) -> str:
    while True:
        try:
            return str(sqs.create_queue(QueueName=name)["QueueUrl"])
        except sqs.exceptions.QueueDeletedRecently:
            print(f"{name} was removed a moment ago, and SQS gives a name free after 60 s. Waiting.", flush=True)
            time.sleep(_NAME_IS_FREE_S)


def _last_line(exc: BaseException) -> str:
    return traceback.format_exception_only(exc)[-1].strip()


if __name__ == "__main__":
    main()
