"""A stack: its resources, its events and what it is doing. How it comes to be is in `deployment` and `stack_tasks`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localbus.clock import Clock
from localbus.cloudformation.plan import Plan
from localbus.cloudformation.resources.base import Made
from localbus.cloudformation.upstream_stack import ShadowStack
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass
class StackResource:
    """One resource of a stack: of this engine, with its properties and attributes, or of the upstream's stack."""

    logical_id: str
    type: str
    local: bool
    needs: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict)
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    physical_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    changed_at: datetime | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is something to delete."""
        return bool(self.physical_id) and self.status != "DELETE_COMPLETE"

    @property
    def made(self) -> Made:
        """The resource as its type knows it."""
        return Made(self.physical_id, self.attributes)


class Stack:
    """A stack by its name and id. One task at a time works on it."""

    def __init__(self, name: str, caller: Caller, clock: Clock, shadow: ShadowStack | None, token: str | None) -> None:
        self.name = name
        self.caller = caller
        self.id = f"arn:aws:cloudformation:{caller.region}:{caller.account}:stack/{name}/{new_id()}"
        self.shadow = shadow
        self.clock = clock
        self.token = token
        self.plan: Plan | None = None
        self.tags: list[dict[str, str]] = []
        self.capabilities: list[str] = []
        self.notification_arns: list[str] = []
        self.role_arn: str | None = None
        self.disable_rollback = False
        self.termination_protection = False
        self.timeout_minutes: int | None = None
        self.status = ""
        self.reason = ""
        self.resources: dict[str, StackResource] = {}
        self.leftovers: list[StackResource] = []  # replaced or no longer wanted, still to be deleted
        self.outputs: list[Params] = []
        self.events: list[Params] = []
        self.created_at = self.now()
        self.updated_at: datetime | None = None
        self.deleted_at: datetime | None = None
        self.task: asyncio.Task[None] | None = None
        self.is_aborted = False

    def now(self) -> datetime:
        """The time by the engine's clock."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    @property
    def is_deleted(self) -> bool:
        """Whether it is only remembered."""
        return self.status == "DELETE_COMPLETE"

    @property
    def is_busy(self) -> bool:
        """Whether something is being done with it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def become(self, status: str, reason: str = "") -> None:
        """Take on a status, and say so in the events. Once a deletion is wanted, what went on before says no more."""
        if self.status == "DELETE_IN_PROGRESS" and not status.startswith("DELETE_"):
            return
        self.status, self.reason = status, reason
        if status == "DELETE_COMPLETE":
            self.deleted_at = self.now()
        self._note(self.name, STACK_TYPE, self.id, status, reason)

    def note(self, resource: StackResource, status: str, reason: str = "", physical_id: str | None = None) -> None:
        """Have a resource take on a status, and say so in the events."""
        resource.status, resource.reason, resource.changed_at = status, reason, self.now()
        if physical_id is not None:
            resource.physical_id = physical_id
        self._note(resource.logical_id, resource.type, resource.physical_id, status, reason)

    def _note(self, logical_id: str, type_name: str, physical_id: str, status: str, reason: str) -> None:
        event: Params = {
            "StackId": self.id,
            "EventId": new_id(),
            "StackName": self.name,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": type_name,
            "Timestamp": self.now(),
            "ResourceStatus": status,
        }
        if reason:
            event["ResourceStatusReason"] = reason
        if self.token:
            event["ClientRequestToken"] = self.token
        self.events.append(event)
