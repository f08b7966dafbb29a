"""The outputs of a deployed stack, by name, and as the environment of the services."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Self

import boto3
from botocore.exceptions import ClientError

from orderboard_stack.clients import CLIENT_CONFIG

QUEUE_ROLES = ("work", "express", "alerts", "inbox", "undelivered")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class StackNotFoundError(Exception):
    """The stack does not exist, or is not in a usable state; deploy it first."""


@dataclass(frozen=True)
class StackOutputs:
    """The outputs of a deployed stack. Queues are names: GetQueueUrl returns the URL that fits the caller."""

    orders_topic_arn: str
    alerts_topic_arn: str
    bus_name: str
    work_queue: str
    work_dlq: str
    express_queue: str
    express_dlq: str
    alerts_queue: str
    alerts_dlq: str
    inbox_queue: str
    inbox_dlq: str
    undelivered_queue: str
    orders_table: str
    notifier_function: str
    notifier_idempotency_table: str
    notifier_mapping_id: str
    large_order_cents: str
    work_visibility_timeout_s: str
    work_max_receive_count: str
    archive_name: str | None = None
    # These three only where the worker is a function.
    worker_function: str | None = None
    work_mapping_id: str | None = None
    express_mapping_id: str | None = None

    @classmethod
    def of(cls, outputs: Mapping[str, str]) -> Self:
        """From the stack's outputs by their CamelCase keys; outputs that this version does not know are left out."""
        by_field = {_WORD_START.sub("_", key).lower(): value for key, value in outputs.items()}
        known = {field.name for field in fields(cls)}
        required = [field.name for field in fields(cls) if field.default is MISSING]
        missing = [name for name in required if name not in by_field]
        if missing:
            raise StackNotFoundError(f"The stack lacks the outputs {', '.join(missing)}; deploy it again.")
        return cls(**{name: value for name, value in by_field.items() if name in known})

    def environment(self) -> dict[str, str]:
        """One ORDERBOARD_ variable for each output, such as ORDERBOARD_WORK_QUEUE."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {f"ORDERBOARD_{name.upper()}": value for name, value in values.items() if value is not None}

    @property
    def worker_mappings(self) -> dict[str, str]:
        """The event source mappings of the worker's function by the role of their queue; none for processes."""
        found = {"work": self.work_mapping_id, "express": self.express_mapping_id}
        return {role: mapping for role, mapping in found.items() if mapping is not None}

    @property
    def queue_pairs(self) -> dict[str, tuple[str, str | None]]:
        """Each queue and its dead-letter queue, by role. `undelivered` is a dead-letter queue itself."""
        return {role: (getattr(self, f"{role}_queue"), getattr(self, f"{role}_dlq", None)) for role in QUEUE_ROLES}

    @property
    def queues(self) -> tuple[str, ...]:
        """The names of all queues, each before its dead-letter queue."""
        return tuple(name for pair in self.queue_pairs.values() for name in pair if name is not None)


def read(session: boto3.Session, endpoint_url: str | None, stack_name: str = "orderboard") -> StackOutputs:
    """Ask CloudFormation for the outputs of a deployed stack. Raises StackNotFoundError."""
    client = session.client("cloudformation", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    try:
        stacks = client.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationError":
            raise
        raise StackNotFoundError(f"The stack {stack_name} does not exist. Deploy it with `orderboard deploy`.") from exc
    outputs = stacks[0].get("Outputs", [])
    known = StackOutputs.of({output["OutputKey"]: output["OutputValue"] for output in outputs})
    if known.archive_name is None and _has_archive(session, endpoint_url, known.bus_name):
        return replace(known, archive_name=known.bus_name)
    return known


def _has_archive(session: boto3.Session, endpoint_url: str | None, name: str) -> bool:
    """Return whether deploy made the archive beside the stack, as it does where CloudFormation knows no archives."""
    client = session.client("events", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
    try:
        client.describe_archive(ArchiveName=name)
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True
