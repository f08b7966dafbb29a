"""The part of a stack that the upstream creates: an upstream stack of the same name, with only those resources.

Its template has no parameters and no conditions; only references among its own resources stay unresolved. The outputs
of the upstream stack return the values (`Ref`, `Fn::GetAtt`) that local resources and outputs need.

It is stored before each request to the upstream, so that a restart of localbus knows what may exist there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from localbus.cloudformation.upstream_client import UpstreamCloudFormation
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document

_POLL_S = 0.02
_POLLS_BETWEEN_EVENTS = 10
_STACK = "AWS::CloudFormation::Stack"
_RETRY_S = 0.25
_NO_ANSWER = "InternalFailure"
_NOT_CREATED = ("CREATE_FAILED", "ROLLBACK_")
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class UpstreamStackError(Exception):
    """An operation on the upstream stack that failed; the message is its reason."""


class Owner(Protocol):
    """The stack of which it is a part."""

    name: str
    caller: Caller

    def record_upstream_event(self, event: Params) -> None:
        """Record an event of one of its resources."""

    def save_upstream(self) -> None:
        """Store what has changed."""

    async def flush(self) -> None:
        """Wait until everything is stored."""


class UpstreamStack:
    """The upstream stack of an `owner`, whether it exists or not."""

    def __init__(self, upstream: UpstreamCloudFormation, owner: Owner) -> None:
        self._upstream = upstream
        self._name = owner.name
        self._caller = owner.caller
        self._owner = owner
        self._id: str | None = None
        self._is_pending = False  # a request may have changed it
        self._seen_events: set[str] = set()
        self._rolls_back = False
        self._rollback_events: list[Params] = []
        self._new: set[str] = set()  # among the resources being deployed
        self._unchanged: set[str] = set()
        self.resources: Mapping[str, Any] | None = None  # as they were last deployed
        self.values: dict[tuple[str, str | None], str] = {}
        self.physical_ids: dict[str, str] = {}
        self.resources_before: Mapping[str, Any] | None = None  # before the operation that is under way
        self.values_before: dict[tuple[str, str | None], str] = {}
        self.deployed: list[str] = []  # the logical ids that the operation has deployed

    @property
    def exists(self) -> bool:
        """True if it exists upstream, as far as localbus knows."""
        return self._id is not None or self._is_pending

    @property
    def differs_from_before(self) -> bool:
        """True if the operation that is under way has changed it, or may have."""
        return self._is_pending or self.resources != self.resources_before

    def document(self) -> Document:
        """The upstream stack for the storage."""
        values, before = ([[*key, text] for key, text in one.items()] for one in (self.values, self.values_before))
        return {
            "id": self._id,
            "is_pending": self._is_pending,
            "seen_events": sorted(self._seen_events),
            "resources": self.resources,
            "values": values,
            "physical_ids": self.physical_ids,
            "resources_before": self.resources_before,
            "values_before": before,
            "deployed": self.deployed,
        }

    def restore(self, document: Document) -> None:
        """Set what a document has."""
        self._id, self._is_pending = document["id"], document["is_pending"]
        self._seen_events = set(document["seen_events"])
        self.resources, self.physical_ids = document["resources"], document["physical_ids"]
        self.resources_before, self.deployed = document["resources_before"], document["deployed"]
        self.values, self.values_before = (
            {(name, attribute): text for name, attribute, text in document[key]} for key in ("values", "values_before")
        )

    def begin(self) -> None:
        """Begin an operation on the stack."""
        self.resources_before, self.values_before, self.deployed = self.resources, dict(self.values), []

    async def find(self, *, patiently: bool = False) -> None:
        """Learn whether it exists, and wait for the end of its operation.

        One that was not created as a whole is deleted. An upstream that does not answer has nothing, unless it is
        waited for patiently: it may have been restarted too.
        """
        while self.exists:
            try:
                answer = await self._upstream.call("DescribeStacks", self._caller, StackName=self._id or self._name)
                self._id = answer["Stacks"][0]["StackId"]
                status = (await self._wait())["StackStatus"]
            except (AwsError, UpstreamStackError) as exc:
                if patiently and _NO_ANSWER in {getattr(exc, "code", ""), getattr(exc.__cause__, "code", "")}:
                    await asyncio.sleep(_RETRY_S)
                    continue
                status = "DELETE_COMPLETE"
            if status == "DELETE_COMPLETE":
                self._forget()
            elif status.startswith(_NOT_CREATED):
                with suppress(UpstreamStackError):  # the next deployment returns the reason
                    await self.delete()
            return

    def _forget(self) -> None:
        """Note that it does not exist."""
        self._id, self._is_pending = None, False
        self.resources, self.deployed = None, []
        self._owner.save_upstream()

    async def deploy(
        self, resources: Mapping[str, Any], wanted: Iterable[tuple[str, str | None]], tags: list[dict[str, str]]
    ) -> None:
        """Create or update the stack and get the wanted values.

        Raises UpstreamStackError. After a failed creation the created resources stay until `delete`; a failed update
        is rolled back, and `publish_rollback_events` records those events later.
        """
        if self._is_pending:
            await self.find()
        keys = {f"Value{place}": value for place, value in enumerate(sorted(wanted, key=str))}
        outputs = {key: {"Value": _reference(*value)} for key, value in keys.items() if value[0] in resources}
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        body = json.dumps(template | ({"Outputs": outputs} if outputs else {}))
        given = {"TemplateBody": body, "Capabilities": _CAPABILITIES, "Tags": tags, "StackName": self._name}
        deployed = self.resources or {}
        self._new = set(resources) - set(deployed)
        self._unchanged = {name for name, one in resources.items() if deployed.get(name) == one}
        self._rolls_back = False
        try:
            changed = {name: one for name, one in resources.items() if name not in self._unchanged}
            await self._upstream.before_deployment(changed, self._caller)
        except AwsError as exc:
            raise UpstreamStackError(exc.message) from exc
        changes = await self._start(given)
        shown = await self._wait()
        if changes and shown["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            self._completed()
            raise UpstreamStackError(shown.get("StackStatusReason") or f"The upstream stack is {shown['StackStatus']}.")
        values = {keys[one["OutputKey"]]: one["OutputValue"] for one in shown.get("Outputs", [])}
        found = await self._upstream.call("DescribeStackResources", self._caller, StackName=self._name)
        self.physical_ids = {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found["StackResources"]
        }
        self.resources, self.values = resources, values
        self._completed()

    async def _announce(self) -> None:
        """Store that a request may change it, before the request is sent."""
        self._is_pending = True
        self._owner.save_upstream()
        await self._owner.flush()

    def _completed(self) -> None:
        """Store that no request is under way."""
        self._is_pending = False
        self._owner.save_upstream()

    async def _start(self, given: Params) -> bool:
        """Start the operation; False if nothing changes."""
        await self._announce()
        try:
            if self._id is None:
                answer = await self._upstream.call("CreateStack", self._caller, **given, DisableRollback=True)
                self._id = answer["StackId"]
            else:
                await self._upstream.call("UpdateStack", self._caller, **given)
        except AwsError as exc:
            if "No updates are to be performed" in exc.message:
                return False
            if exc.code != _NO_ANSWER:
                self._completed()
            raise UpstreamStackError(exc.message) from exc
        return True

    async def delete(self, retain: list[str] | None = None) -> None:
        """Delete the stack with its resources. Raises UpstreamStackError."""
        if self._id is None:
            await self.find()
        if not self.exists:
            return
        self._rolls_back = False
        await self._announce()
        try:
            given: Params = {"RetainResources": retain} if retain else {}
            await self._upstream.call("DeleteStack", self._caller, StackName=self._id, **given)
            shown = await self._wait()
        except AwsError as exc:
            if "does not exist" not in exc.message:
                raise UpstreamStackError(exc.message) from exc
        else:
            if shown["StackStatus"] != "DELETE_COMPLETE":
                raise UpstreamStackError(shown.get("StackStatusReason") or "The upstream could not delete the stack.")
        self._forget()

    async def _wait(self) -> Params:
        """Wait until the operation has ended, in real time even with a manual clock."""
        polls = 0
        while True:
            try:
                answer = await self._upstream.call("DescribeStacks", self._caller, StackName=self._id)
            except AwsError as exc:
                raise UpstreamStackError(exc.message) from exc
            shown: Params = answer["Stacks"][0]
            done = not shown["StackStatus"].endswith("_IN_PROGRESS")
            if done or polls % _POLLS_BETWEEN_EVENTS == _POLLS_BETWEEN_EVENTS - 1:
                await self._publish_events()
            if done:
                return shown
            polls += 1
            await asyncio.sleep(_POLL_S)

    async def _publish_events(self) -> None:
        for event in await self._new_events():
            if event["ResourceType"] == _STACK and event["LogicalResourceId"] == self._name:
                self._rolls_back = self._rolls_back or "ROLLBACK" in event["ResourceStatus"]
            elif self._rolls_back:
                self._rollback_events.append(event)
            else:
                self._record(event)

    async def _new_events(self) -> list[Params]:
        """The events since the last call, the oldest first."""
        found: list[Params] = []
        token: Params = {}
        while True:
            page = await self._upstream.call("DescribeStackEvents", self._caller, StackName=self._id, **token)
            fresh = [event for event in page["StackEvents"] if event["EventId"] not in self._seen_events]
            found += fresh
            if len(fresh) < len(page["StackEvents"]) or not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        self._seen_events.update(event["EventId"] for event in found)
        self._owner.save_upstream()
        return found[::-1]

    def publish_rollback_events(self) -> None:
        """Record the events of the rollback of a failed update."""
        for event in self._rollback_events:
            self._record(event)
        self._rollback_events.clear()

    def _record(self, event: Params) -> None:
        """Record an event: as a creation if the update added the resource, and none for unchanged resources."""
        name, status = event["LogicalResourceId"], event["ResourceStatus"]
        if name in self._new and status.startswith("UPDATE_"):
            event["ResourceStatus"] = status.replace("UPDATE_", "CREATE_", 1)
        elif name in self._unchanged and status in {"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"}:
            return
        self._owner.record_upstream_event(event)


def _reference(logical_id: str, attribute: str | None) -> Params:
    return {"Ref": logical_id} if attribute is None else {"Fn::GetAtt": [logical_id, attribute]}
