"""Shell commands with the effect of each control: aws, curl, kill and orderboard, complete and quoted."""

import json
import os
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from orderboard.system import command_line
from orderboard.system.target import Target

PREPARATION: Final = "ORDERBOARD_PREPARATION_MS"
EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def aws(target: Target, *words: str) -> str:
    """Return an aws command line for this backend."""
    return command_line.aws(target.endpoint, *words)


def orderboard(*words: str) -> str:
    """Return an orderboard command line, as this user's shell takes it."""
    return f"{command_line.orderboard()} {shlex.join(words)}"


def purge(target: Target, queue_url: str) -> str:
    """Delete everything in a queue."""
    return aws(target, "sqs", "purge-queue", "--queue-url", queue_url)


def redrive(target: Target, key: str, dlq: str) -> str:
    """Move dead letters back: by a message move task, or by `orderboard redrive` if the backend has none."""
    if not target.endpoint.capabilities.message_move_task or key == "undelivered":
        url = target.endpoint.endpoint_url
        return orderboard("redrive", key, *(["--endpoint-url", url] if url is not None else ["--backend", "aws"]))
    return aws(target, "sqs", "start-message-move-task", "--source-arn", arn(target, "sqs", dlq))


def mapping(target: Target, *, enabled: bool) -> str:
    """Pause or resume the notifier's event source mapping."""
    flag = "--enabled" if enabled else "--no-enabled"
    return aws(target, "lambda", "update-event-source-mapping", "--uuid", target.outputs.notifier_mapping_id, flag)


def replay(target: Target, name: str, end: datetime | None) -> str:
    """Replay the archive up to end; None: up to the time at which the command runs."""
    archive, bus = archive_arns(target)
    options = {
        "--replay-name": name,
        "--event-source-arn": archive,
        "--destination": f"Arn={bus}",
        "--event-start-time": f"{EPOCH:%Y-%m-%dT%H:%M:%SZ}",
    }
    command = aws(target, "events", "start-replay", *(word for option in options.items() for word in option))
    until = '"$(date -u +%Y-%m-%dT%H:%M:%SZ)"' if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}"
    return f"{command} --event-end-time {until}"


def place(api_url: str, order: Mapping[str, object], key: str) -> str:
    """Place one order. With the same key it stays one order however often it is sent."""
    return curl(f"{api_url}/orders", order, *_credentials(), f"Idempotency-Key: {key}")


def cancel(api_url: str, order_id: str, reason: str) -> str:
    """Request the cancellation of an order."""
    return curl(f"{api_url}/orders/{order_id}/cancellation", {"reason": reason}, *_credentials())


def place_many(api_url: str, order: Mapping[str, object], count: int | None, pause_s: float = 0) -> str:
    """Place many equal orders, at once or with a pause after each. count None: until Ctrl-C."""
    line = shlex.quote(json.dumps(order))
    lines = (
        f"while echo {line}; do sleep {pause_s:g}; done"
        if count is None
        else f"for i in $(seq {count}); do echo {line}; done"
    )
    return f'{lines} | {orderboard("place", "--api-url", api_url)} --batch "$(date +%s)"'


def worker(action: str, name: str = "") -> str:
    """Act on a worker of the system that `up` started."""
    return orderboard("worker", action, *filter(None, [name]))


def prepare_for(milliseconds: int) -> str:
    """Set the extra time that every order takes, for all workers."""
    return set_variable(PREPARATION, str(milliseconds))


def set_variable(name: str, value: str) -> str:
    """Set a variable of every worker."""
    return orderboard("worker", "set", f"{name}={value}")


def kill(pid: int) -> str:
    """Kill a process, as a crash would."""
    return f"kill -KILL {pid}"


def curl(url: str, document: Mapping[str, Any], *headers: str) -> str:
    """Post a JSON body. Headers may contain shell variables, such as a token that must not be shown."""
    body = shlex.quote(json.dumps(document, ensure_ascii=False))
    options = "".join(f' -H "{each}"' for each in headers)
    return f"curl {shlex.quote(url)} --json {body}{options}"


def archive_arns(target: Target) -> tuple[str, str]:
    """Return the ARNs of the archive and of its bus."""
    archive = arn(target, "events", f"archive/{target.outputs.archive_name}")
    return archive, arn(target, "events", f"event-bus/{target.outputs.bus_name}")


def arn(target: Target, service: str, name: str) -> str:
    """Return the ARN of a resource in the stack's account and region."""
    partition, _, region, account = target.outputs.orders_topic_arn.split(":")[1:5]
    return f"arn:{partition}:{service}:{region}:{account}:{name}"


def _credentials() -> tuple[str, ...]:
    return ("Authorization: Bearer $ORDERBOARD_API_TOKEN",) if os.environ.get("ORDERBOARD_API_TOKEN") else ()
