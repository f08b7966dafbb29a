"""The visibility timeout and maxReceiveCount of the work queues, to be changed and reset to the deployed values."""

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orderboard.console import commands, requests
from orderboard.console.controls import ActionResult, Control
from orderboard.console.source import Source
from orderboard.errors import UsageError
from orderboard.system.target import AWS_ERRORS, Target
from orderboard.system.workers import Workers

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType

VISIBILITY_TIMEOUTS_S: Final = (2, 5, 10, 30, 60, 300)
MAX_RECEIVE_COUNTS: Final = (1, 2, 3, 5, 10)
_VISIBILITY_TIMEOUT: Final = "ORDERBOARD_WORK_VISIBILITY_TIMEOUT_S"
_READ_EVERY_S: Final = 3.0
_PAID: Final = "AWS bills every request: change it in the template."


@dataclass
class QueueSettings:
    """Both settings, of the queues work and express together, as the stack has them.

    A worker receives with its own visibility timeout, so a new one replaces the workers of `up`.
    """

    source: Source
    workers: Workers
    _read_at: float = field(default=float("-inf"), init=False)
    _found: dict[str, Any] | None = field(default=None, init=False)

    def document(self) -> tuple[dict[str, Any] | None, dict[str, Control]]:
        """Return the current and the deployed settings, and the control."""
        target = self.source.target()
        if not target.endpoint.local:
            return None, {"queue-settings": Control("", _PAID)}
        if time.monotonic() - self._read_at > _READ_EVERY_S:
            self._found, self._read_at = self._read(target), time.monotonic()
        if self._found is None:
            return None, {"queue-settings": Control("", "The backend did not answer.")}
        current = requests.QueueSettings(
            visibility_timeout_s=self._found["visibility_timeout_s"] or None,
            max_receive_count=self._found["max_receive_count"] or None,
        )
        return self._found, {"queue-settings": Control(self._command(target, _completed(target, current)))}

    def change(self, body: requests.QueueSettings) -> ActionResult:
        """Set both, on both queues, or the deployed values where they are left out."""
        target = self.source.target()
        if not target.endpoint.local:
            raise UsageError(_PAID)
        wanted = _completed(target, body)
        for name in _queues(target):
            attributes = self._attributes(target, name, wanted)
            target.sqs.set_queue_attributes(QueueUrl=self.source.queue_url(name), Attributes=attributes)
        self._read_at = float("-inf")
        timeout_s = str(wanted.visibility_timeout_s)
        before = self.workers.environment.get(_VISIBILITY_TIMEOUT, target.outputs.work_visibility_timeout_s)
        replaced = self.source.state() is not None and timeout_s != before
        if replaced:
            self.workers.set_environment({_VISIBILITY_TIMEOUT: timeout_s})
        message = (
            f"Visibility timeout {timeout_s} s, at most {wanted.max_receive_count} receives"
            f"{'; the workers were replaced' if replaced else ''}."
        )
        return ActionResult(message, self._command(target, wanted))

    def _read(self, target: Target) -> dict[str, Any] | None:
        try:
            attributes = target.sqs.get_queue_attributes(
                QueueUrl=self.source.queue_url(target.outputs.work_queue),
                AttributeNames=["VisibilityTimeout", "RedrivePolicy"],
            )["Attributes"]
        except AWS_ERRORS:
            return None
        policy = json.loads(attributes.get("RedrivePolicy", "{}"))
        return {
            "visibility_timeout_s": int(attributes["VisibilityTimeout"]),
            "max_receive_count": int(policy.get("maxReceiveCount", 0)),
            "deployed": _completed(target, requests.QueueSettings()).model_dump(),
        }

    def _command(self, target: Target, wanted: requests.QueueSettings) -> str:
        lines = [
            commands.aws(
                target,
                *("sqs", "set-queue-attributes", "--queue-url", self.source.queue_url(name)),
                *("--attributes", json.dumps(self._attributes(target, name, wanted))),
            )
            for name in _queues(target)
        ]
        if self.source.state() is not None:
            lines.append(commands.set_variable(_VISIBILITY_TIMEOUT, str(wanted.visibility_timeout_s)))
        return "\n".join(lines)

    def _attributes(
        self, target: Target, name: str, wanted: requests.QueueSettings
    ) -> "dict[QueueAttributeNameType, str]":
        dlq = next(dlq for queue, dlq in target.outputs.queue_pairs.values() if queue == name)
        policy = {
            "deadLetterTargetArn": commands.arn(target, "sqs", str(dlq)),
            "maxReceiveCount": wanted.max_receive_count,
        }
        return {"VisibilityTimeout": str(wanted.visibility_timeout_s), "RedrivePolicy": json.dumps(policy)}


def _queues(target: Target) -> tuple[str, str]:
    return target.outputs.work_queue, target.outputs.express_queue


def _completed(target: Target, body: requests.QueueSettings) -> requests.QueueSettings:
    outputs = target.outputs
    return requests.QueueSettings(
        visibility_timeout_s=body.visibility_timeout_s or int(outputs.work_visibility_timeout_s),
        max_receive_count=body.max_receive_count or int(outputs.work_max_receive_count),
    )
