"""A stack: its settings, resources, outputs and events. `lifecycle` creates, updates and deletes it.

Every change is stored with the next commit, in the same one as the resources that were made or deleted with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from localbus.clock import Clock
from localbus.cloudformation.plan import Plan, Value
from localbus.cloudformation.stack_resource import Change, StackResource, stored_time, time_document
from localbus.cloudformation.template.parser import template_error
from localbus.cloudformation.upstream_client import UpstreamCloudFormation
from localbus.cloudformation.upstream_stack import UpstreamStack
from localbus.ids import new_id
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document
from localbus.storage.storage import NotStoredError, Storage

# Kinds of records: stacks by id; owned by a stack, its plans ("current", and "before" an update), its resources and
# their changes by logical id, its events by number, and its upstream part.
STACK, PLAN, RESOURCE = "cloudformation.stack", "cloudformation.plan", "cloudformation.resource"
CHANGE, EVENT, UPSTREAM = "cloudformation.change", "cloudformation.event", "cloudformation.upstream"
STACK_TYPE = "AWS::CloudFormation::Stack"
_OPERATIONS = {
    "CREATE_IN_PROGRESS": "CREATE_STACK",
    "UPDATE_IN_PROGRESS": "UPDATE_STACK",
    "DELETE_IN_PROGRESS": "DELETE_STACK",
}
_RETRY_S = 0.25
_MILLISECOND = timedelta(milliseconds=1)
# The attributes of a stack that its record has as they are, and those that are times.
_PLAIN = (
    *("token", "tags", "capabilities", "notification_arns", "role_arn", "disable_rollback", "termination_protection"),
    *("timeout_minutes", "status", "reason", "outputs", "last_operations", "is_aborted", "change_set_id"),
)
_TIMES = ("created_at", "updated_at", "deleted_at")


def iso_time(moment: datetime) -> str:
    """A time as the events of stacks have it in their texts."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
        if stack.operation is None:
            return
        applied = asyncio.ensure_future(self._applied.wait())
        await asyncio.wait([applied, *([stack.task] if stack.task else [])], return_when=asyncio.FIRST_COMPLETED)
        applied.cancel()

    def give(self, *, succeeded: bool) -> None:
        """Give the verdict, unless it was given before."""
        if not self._succeeded.done():
            self._succeeded.set_result(succeeded)


@dataclass
class Operation:
    """An operation that is under way, with what it needs to go on after a restart of the engine.

    `on_failure` is ROLLBACK, DELETE or DO_NOTHING, of a creation; `retained` and `force` are of a deletion; the tags
    and outputs are those before an update.
    """

    kind: Literal["create", "update", "delete"]
    on_failure: str = "ROLLBACK"
    retained: list[str] = field(default_factory=list)
    force: bool = False
    tags_before: list[dict[str, str]] = field(default_factory=list)
    outputs_before: list[Params] = field(default_factory=list)


class Stack:
    """A stack by its name and id. One task at a time works on it. It is stored once `keep_in` has been called."""

    def __init__(
        self,
        name: str,
        caller: Caller,
        clock: Clock,
        upstream: UpstreamCloudFormation | None,
        token: str | None,
        *,
        stack_id: str | None = None,
    ) -> None:
        self.name = name
        self.caller = caller
        self.id = stack_id or f"arn:aws:cloudformation:{caller.region}:{caller.account}:stack/{name}/{new_id()}"
        self._storage = Storage()
        self.upstream = UpstreamStack(upstream, self) if upstream else None
        self.clock = clock
        self.token = token
        self._plans: dict[str, Plan | Callable[[], Plan]] = {}
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
        self.operation: Operation | None = None
        self.changes: dict[str, Change] = {}  # by logical id: what the operation has completed
        self.unfinished: StackResource | None = None  # a resource that its service may have made already
        self.is_aborted = False
        self.change_set_id: str | None = None  # of the change set that was executed last
        self.on_event: Callable[[Stack, Params], None] = lambda stack, event: None

    def now(self) -> datetime:
        """The time by the engine's clock."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    @property
    def plan(self) -> Plan | None:
        """The plan of its template."""
        return self._plan("current")

    @plan.setter
    def plan(self, plan: Plan | None) -> None:
        self._set_plan("current", plan)

    @property
    def plan_before(self) -> Plan | None:
        """The plan to which the update that is under way may be rolled back."""
        return self._plan("before")

    def _plan(self, name: str) -> Plan | None:
        found = self._plans.get(name)
        if callable(found):  # stored: read when it is first used
            found = self._plans[name] = found()
        return found

    def _set_plan(self, name: str, plan: Plan | None) -> None:
        if plan is None:
            self._plans.pop(name, None)
            self._storage.delete(PLAN, name, self.id)
        else:
            self._plans[name] = plan
            self._storage.save(PLAN, name, plan.document, self.id)

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
        self.announce(reason)

    def announce(self, reason: str) -> None:
        """Record an event of the status that the stack has."""
        self._record(StackResource(self.name, STACK_TYPE, local=True, physical_id=self.id), self.status, reason)

    def set_resource_status(
        self, resource: StackResource, status: str, reason: str = "", physical_id: str | None = None
    ) -> None:
        """Set a resource's status, and its physical id if given, and record an event."""
        resource.status, resource.reason, resource.changed_at = status, reason, self.now()
        if physical_id is not None:
            resource.physical_id = physical_id
        self._record(resource, status, reason)
        self.save_resource(resource.logical_id)

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
        document = shown | {"Timestamp": time_document(time)}
        self._storage.save(EVENT, str(len(self.events)), lambda: document, self.id)
        self.save()
        self.on_event(self, shown)

    # The operation under way

    def begin(self, operation: Operation) -> None:
        """Begin an operation. The one before it, if it is still under way, ends without effect."""
        self.operation = operation
        self._forget_changes()
        self._set_plan("before", self.plan if operation.kind == "update" else None)
        self.is_aborted = operation.kind == "delete"
        if self.upstream is not None:
            self.upstream.begin()
            self.save_upstream()
        self.save()

    def end(self, operation: Operation | None) -> None:
        """End an operation, unless another has begun meanwhile."""
        if operation is self.operation:
            self.operation = None
            self._forget_changes()
            self._set_plan("before", None)
            self.save()

    def _forget_changes(self) -> None:
        self.changes.clear()
        self._storage.delete_owned(CHANGE, self.id)

    def add_change(self, change: Change) -> None:
        """Note a change of the operation, before it is announced by an event."""
        self.changes[change.after.logical_id] = change
        self._storage.save(CHANGE, change.after.logical_id, change.document, self.id)

    def remove_change(self, logical_id: str) -> None:
        """Forget a change that is undone."""
        del self.changes[logical_id]
        self._storage.delete(CHANGE, logical_id, self.id)

    def put_resource(self, resource: StackResource) -> None:
        """Add a resource, in the place of another with its logical id."""
        self.resources[resource.logical_id] = resource
        self.save_resource(resource.logical_id)
        self.save()

    def remove_resource(self, logical_id: str) -> StackResource:
        """Remove a resource."""
        removed = self.resources.pop(logical_id)
        self.save_resource(logical_id)
        self.save()
        return removed

    def expect(self, resource: StackResource, physical_id: str) -> None:
        """Note a resource that its service is about to make, before it answers."""
        self.unfinished = replace(resource, physical_id=physical_id)
        self.save()

    # Records

    def keep_in(self, storage: Storage) -> None:
        """Store the stack from now on."""
        self._storage = storage
        if self.plan is not None:
            self.plan = self.plan
        self.save()

    def save(self) -> None:
        """Store what has changed of the stack, except its plans, resources, events and upstream part."""
        self._storage.save(STACK, self.id, self.document)

    def save_resource(self, logical_id: str) -> None:
        """Store what has changed of a resource."""
        resource = self.resources.get(logical_id)
        if resource is None:
            self._storage.delete(RESOURCE, logical_id, self.id)
        else:
            self._storage.save(RESOURCE, logical_id, resource.document, self.id)

    def save_upstream(self) -> None:
        """Store what has changed of the upstream part."""
        if self.upstream is not None:
            self._storage.save(UPSTREAM, "", self.upstream.document, self.id)

    async def flush(self) -> None:
        """Wait until everything is stored, before the upstream gets a request."""
        while True:
            try:
                await self._storage.stored()
            except NotStoredError:
                await asyncio.sleep(_RETRY_S)
            else:
                return

    def document(self) -> Document:
        """The stack for the storage."""
        found = {name: getattr(self, name) for name in _PLAIN}
        found |= {name: time_document(getattr(self, name)) for name in _TIMES}
        return found | {
            "base_url": self.caller.base_url,
            "signed": self.caller.signed,
            "parent": self.parent and self.parent.id,
            "awaits_parent": self.verdict is not None,
            "resources": list(self.resources),
            "obsolete": [one.document() for one in self.obsolete_resources],
            "unfinished": self.unfinished and self.unfinished.document(),
            "operation": self.operation and asdict(self.operation),
        }

    def restore(self, document: Document, plans: Mapping[str, Callable[[], Plan]], storage: Storage) -> None:
        """Set what a document has, except the parent. The plans are read when they are first used."""
        self._storage = storage
        for name in _PLAIN:
            setattr(self, name, document[name])
        for name in _TIMES:
            setattr(self, name, stored_time(document[name]))
        self._plans = dict(plans)
        self.obsolete_resources = [StackResource.restored(one) for one in document["obsolete"]]
        self.verdict = ParentVerdict() if document["awaits_parent"] else None
        self.unfinished = document["unfinished"] and StackResource.restored(document["unfinished"])
        self.operation = document["operation"] and Operation(**document["operation"])

    def restore_change(self, logical_id: str, document: Document) -> None:
        """Restore a change of the operation, once there are resources."""
        before = document["before"] and StackResource.restored(document["before"])
        if document["kind"] == "replaced":  # it is one of the obsolete resources
            same = (one for one in self.obsolete_resources if one.logical_id == logical_id)
            before = next((one for one in same if one.physical_id == before.physical_id), before)
        self.changes[logical_id] = Change(document["kind"], before, self.resources[logical_id])

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
