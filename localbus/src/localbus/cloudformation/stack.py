"""A stack: its settings, resources, outputs and events. `lifecycle` creates, updates and deletes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from localbus.clock import Clock
from localbus.cloudformation.plan import Plan, Value
from localbus.cloudformation.resources.base import PhysicalResource, ResourceContext
from localbus.cloudformation.template.parser import template_error
from localbus.cloudformation.upstream_client import UpstreamCloudFormation
from localbus.cloudformation.upstream_stack import UpstreamStack
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

STACK_TYPE = "AWS::CloudFormation::Stack"
_OPERATIONS = {
    "CREATE_IN_PROGRESS": "CREATE_STACK",
    "UPDATE_IN_PROGRESS": "UPDATE_STACK",
    "DELETE_IN_PROGRESS": "DELETE_STACK",
}
_MILLISECOND = timedelta(milliseconds=1)


def iso_time(moment: datetime) -> str:
    """A time as the events of stacks have it in their texts."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class StackResource:
    """A resource of a stack: a local one, with its properties and attributes, or one in the upstream's stack."""

    logical_id: str
    type: str
    local: bool
    needs: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict)
    shown_properties: str = ""  # as JSON, as its events show them
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    physical_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    changed_at: datetime | None = None

    @property
    def exists(self) -> bool:
        """True if there is a physical resource to delete."""
        return bool(self.physical_id) and self.status != "DELETE_COMPLETE"

    def context(self, of_stack: ResourceContext) -> ResourceContext:
        """The context for the calls of its type."""
        resource = PhysicalResource(self.physical_id, self.attributes)
        return replace(of_stack, logical_id=self.logical_id, resource=resource)


class ParentVerdict:
    """A nested stack's question to its parent, once an update is applied: clean up, or roll back?"""

    def __init__(self) -> None:
        self._applied = asyncio.Event()
        self._succeeded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def wait(self) -> bool:
        """Wait for the end of the parent's update. Returns whether it succeeded."""
        self._applied.set()
        return await self._succeeded

    async def until_applied(self, stack: Stack) -> None:
        """Wait until the stack's update is applied or has failed."""
        applied = asyncio.ensure_future(self._applied.wait())
        await asyncio.wait([applied, *([stack.task] if stack.task else [])], return_when=asyncio.FIRST_COMPLETED)
        applied.cancel()

    def give(self, *, succeeded: bool) -> None:
        """Give the verdict, unless it was given before."""
        if not self._succeeded.done():
            self._succeeded.set_result(succeeded)


class Stack:
    """A stack by its name and id. One task at a time works on it."""

    def __init__(
        self, name: str, caller: Caller, clock: Clock, upstream: UpstreamCloudFormation | None, token: str | None
    ) -> None:
        self.name = name
        self.caller = caller
        self.id = f"arn:aws:cloudformation:{caller.region}:{caller.account}:stack/{name}/{new_id()}"
        self.upstream = UpstreamStack(upstream, name, caller, self.record_upstream_event) if upstream else None
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
        self.obsolete_resources: list[StackResource] = []  # replaced or removed from the template, still to be deleted
        self.outputs: list[Params] = []
        self.events: list[Params] = []
        self.last_operations: list[Params] = []
        self.created_at = self.now()
        self.updated_at: datetime | None = None
        self.deleted_at: datetime | None = None
        self.task: asyncio.Task[None] | None = None
        self.parent: Stack | None = None
        self.verdict: ParentVerdict | None = None  # of the last update of a nested stack
        self.is_aborted = False
        self.change_set_id: str | None = None  # of the change set that was executed last
        self.on_event: Callable[[Stack, Params], None] = lambda stack, event: None

    def now(self) -> datetime:
        """The time by the engine's clock."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    @property
    def is_late(self) -> bool:
        """True if its creation takes longer than TimeoutInMinutes."""
        took_s = (self.now() - self.created_at).total_seconds()
        return self.timeout_minutes is not None and took_s > self.timeout_minutes * 60

    @property
    def root(self) -> Stack:
        """The stack that is not nested: itself, or that around its parents."""
        return self if self.parent is None else self.parent.root

    @property
    def is_deleted(self) -> bool:
        """True if only its history is left."""
        return self.status == "DELETE_COMPLETE"

    @property
    def template_text(self) -> str:
        """The text of its template; empty without one."""
        return self.plan.template.text if self.plan else ""

    def set_status(self, status: str, reason: str = "") -> None:
        """Set the status and record an event. A stack being deleted accepts only the statuses of a deletion."""
        if self.status == "DELETE_IN_PROGRESS" and not status.startswith("DELETE_"):
            return
        self.status, self.reason = status, reason
        if status in _OPERATIONS:
            self.last_operations = [{"OperationType": _OPERATIONS[status], "OperationId": new_id()}]
        if status in {"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
            self.deleted_at = self.now()
        self._record(StackResource(self.name, STACK_TYPE, local=True, physical_id=self.id), status, reason)

    def set_resource_status(
        self, resource: StackResource, status: str, reason: str = "", physical_id: str | None = None
    ) -> None:
        """Set a resource's status, and its physical id if given, and record an event."""
        resource.status, resource.reason, resource.changed_at = status, reason, self.now()
        if physical_id is not None:
            resource.physical_id = physical_id
        self._record(resource, status, reason)

    def record_upstream_event(self, event: Params) -> None:
        """Set a resource's status from an event of the upstream stack."""
        resource = self.resources.get(event["LogicalResourceId"])
        if resource is None or resource.local:
            resource = StackResource(event["LogicalResourceId"], event["ResourceType"], local=False)
        reason, physical_id = event.get("ResourceStatusReason", ""), event.get("PhysicalResourceId") or None
        self.set_resource_status(resource, event["ResourceStatus"], reason, physical_id)

    def _record(self, resource: StackResource, status: str, reason: str) -> None:
        time = self._next_event_time()
        of_resource = f"{resource.logical_id}-{status}-{iso_time(time)}"
        event: Params = {
            "StackId": self.id,
            "EventId": new_id() if resource.physical_id == self.id else of_resource,
            "StackName": self.name,
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            "Timestamp": time,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ResourceProperties": resource.shown_properties,
            "ClientRequestToken": self.token,
        }
        shown = {name: value for name, value in event.items() if value or name == "PhysicalResourceId"}
        self.events.append(shown)
        self.on_event(self, shown)

    def _next_event_time(self) -> datetime:
        """The time, or a millisecond after the latest event: the times of a stack's events rise."""
        latest = self.events[-1]["Timestamp"] + _MILLISECOND if self.events else self.created_at
        return max(self.now(), latest)


@dataclass(frozen=True)
class StackValues:
    """`Ref` and `Fn::GetAtt` of a stack's existing resources. With `local_only` those upstream stay unresolved."""

    stack: Stack
    plan: Plan
    local_only: bool = False

    def ref(self, logical_id: str) -> Any:
        """The physical id, or the value that the upstream returned."""
        if self.plan.is_local(logical_id):
            return self.stack.resources[logical_id].physical_id
        return self._upstream((logical_id, None))

    def attribute(self, logical_id: str, name: str) -> Any:
        """The attribute of the resource, or its property. Raises AwsError if a local resource does not have it."""
        if not self.plan.is_local(logical_id):
            return self._upstream((logical_id, name))
        resource = self.stack.resources[logical_id]
        for values in (resource.attributes, resource.properties):
            if name in values:
                return values[name]
        raise template_error(f"resource {logical_id} does not support attribute type {name} in Fn::GetAtt")

    def _upstream(self, value: Value) -> str | None:
        upstream = self.stack.upstream
        return None if self.local_only or upstream is None else upstream.values.get(value)
