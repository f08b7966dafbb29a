"""What to type for the effect of a knob: aws, curl, kill and orderboard command lines, whole and quoted."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from orderboard.system.target import Target

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def aws(target: Target, *words: str) -> str:
    """The aws command line of a call on this backend."""
    url = target.endpoint.endpoint_url
    return shlex.join(["aws", *(["--endpoint-url", url] if url is not None else []), *words])


def orderboard(*words: str) -> str:
    """A command of ours, by a path that works in the folder in which the console was started."""
    return shlex.join([_path(Path(sys.executable).with_name("orderboard")), *words])


def purge(target: Target, queue_url: str) -> str:
    """Throw away what a queue holds."""
    return aws(target, "sqs", "purge-queue", "--queue-url", queue_url)


def redrive(target: Target, key: str, dlq: str) -> str:
    """Move dead letters back: by a task of the backend, or by hand where that has none (receive, send, delete)."""
    if not target.endpoint.capabilities.message_move_task or key == "undelivered":
        url = target.endpoint.endpoint_url
        return orderboard("redrive", key, *(["--endpoint-url", url] if url is not None else ["--backend", "aws"]))
    return aws(target, "sqs", "start-message-move-task", "--source-arn", arn(target, "sqs", dlq))


def mapping(target: Target, *, enabled: bool) -> str:
    """Pause the notifier's event source mapping, or let it go on."""
    flag = "--enabled" if enabled else "--no-enabled"
    return aws(target, "lambda", "update-event-source-mapping", "--uuid", target.outputs.notifier_mapping_id, flag)


def replay(target: Target, name: str, end: datetime | None) -> str:
    """Send what the archive holds through the rules again. end: None is when the command is run."""
    archive, bus = archive_arns(target)
    replayed = aws(
        target,
        *(
            "events",
            "start-replay",
            "--replay-name",
            name,
            "--event-source-arn",
            archive,
            "--destination",
            f"Arn={bus}",
        ),
        *("--event-start-time", f"{EPOCH:%Y-%m-%dT%H:%M:%SZ}", "--event-end-time"),
    )
    return f'{replayed} "$(date -u +%Y-%m-%dT%H:%M:%SZ)"' if end is None else f"{replayed} {end:%Y-%m-%dT%H:%M:%SZ}"


def place(api_url: str, order: Mapping[str, object], key: str) -> str:
    """One order. The key makes it one order however often it is sent."""
    return curl("POST", f"{api_url}/orders", order, *_credentials(), f"Idempotency-Key: {key}")


def cancel(api_url: str, order_id: str, reason: str) -> str:
    """Ask that an order be not made."""
    return curl("POST", f"{api_url}/orders/{order_id}/cancellation", {"reason": reason}, *_credentials())


def place_many(api_url: str, order: Mapping[str, object], count: int | None, pause_s: float = 0) -> str:
    """Many orders alike, at once or with a pause after each (count: None is until Ctrl-C)."""
    line = shlex.quote(json.dumps(order))
    lines = (
        f"while echo {line}; do sleep {pause_s:g}; done"
        if count is None
        else f"for i in $(seq {count}); do echo {line}; done"
    )
    return f'{lines} | {orderboard("place", "--api-url", api_url)} --batch "$(date +%s)"'


def worker(environment: Mapping[str, str]) -> str:
    """Start a worker, with all that it is told."""
    told = [f"{name}={value}" for name, value in sorted(environment.items())]
    return shlex.join(["env", *told, _path(Path(sys.executable)), "-m", "worker"])


def curl(method: str, url: str, document: Mapping[str, Any], *headers: str) -> str:
    """A request with a JSON body. Headers may have shell variables, such as a token that is not to be shown."""
    body = shlex.quote(json.dumps(document, ensure_ascii=False))
    named = "".join(f' -H "{each}"' for each in headers)
    asked = "" if method == "POST" else f" -X {method}"
    return f"curl{asked} {shlex.quote(url)} --json {body}{named}"


def archive_arns(target: Target) -> tuple[str, str]:
    """The archive, and the bus whose events it keeps."""
    archive = arn(target, "events", f"archive/{target.outputs.archive_name}")
    return archive, arn(target, "events", f"event-bus/{target.outputs.bus_name}")


def arn(target: Target, service: str, name: str) -> str:
    """The ARN of something in the stack's account and region."""
    partition, _, region, account = target.outputs.orders_topic_arn.split(":")[1:5]
    return f"arn:{partition}:{service}:{region}:{account}:{name}"


def _path(executable: Path) -> str:
    here = Path.cwd()
    return str(executable.relative_to(here) if executable.is_relative_to(here) else executable)


def _credentials() -> tuple[str, ...]:
    return ("Authorization: Bearer $ORDERBOARD_API_TOKEN",) if os.environ.get("ORDERBOARD_API_TOKEN") else ()
