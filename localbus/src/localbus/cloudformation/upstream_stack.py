"""The part of a stack that the upstream creates: an upstream stack of the same name, with only those resources.

Its template has no parameters and no conditions; only references among its own resources stay unresolved. The outputs
of the upstream stack return the values (`Ref`, `Fn::GetAtt`) that local resources and outputs need.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localbus.cloudformation.upstream_client import UpstreamCloudFormation
from localbus.errors import AwsError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_POLL_S = 0.02
_POLLS_BETWEEN_EVENTS = 10
_STACK = "AWS::CloudFormation::Stack"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class UpstreamStackError(Exception):
    """An operation on the upstream stack that failed; the message is its reason."""


class UpstreamStack:
    """The upstream stack, whether it exists or not. `record_event` gets each event of its resources."""

    def __init__(
        self, upstream: UpstreamCloudFormation, name: str, caller: Caller, record_event: Callable[[Params], None]
    ) -> None:
        self._upstream = upstream
        self._name = name
        self._caller = caller
        self._record_event = record_event
        self._id: str | None = None
        self._seen_events: set[str] = set()
        self._rolls_back = False
        self._rollback_events: list[Params] = []
        self._new: set[str] = set()  # among the resources being deployed
        self._unchanged: set[str] = set()
        self.resources: Mapping[str, Any] | None = None  # as they were last deployed
        self.values: dict[tuple[str, str | None], str] = {}
        self.physical_ids: dict[str, str] = {}

    @property
    def exists(self) -> bool:
        """True if it exists upstream."""
        return self._id is not None

    async def deploy(
        self, resources: Mapping[str, Any], wanted: Iterable[tuple[str, str | None]], tags: list[dict[str, str]]
    ) -> None:
        """Create or update the stack and get the wanted values.

        Raises UpstreamStackError. After a failed creation the created resources stay until `delete`; a failed update
        is rolled back, and `publish_rollback_events` records those events later.
        """
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
        if not await self._start(given):
            return
        shown = await self._wait()
        if shown["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise UpstreamStackError(shown.get("StackStatusReason") or f"The upstream stack is {shown['StackStatus']}.")
        self.resources = resources
        self.values = {keys[one["OutputKey"]]: one["OutputValue"] for one in shown.get("Outputs", [])}
        found = await self._upstream.call("DescribeStackResources", self._caller, StackName=self._name)
        self.physical_ids = {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found["StackResources"]
        }

    async def _start(self, given: Params) -> bool:
        """Start the operation; False if nothing changes."""
        try:
            if self._id is None:
                answer = await self._upstream.call("CreateStack", self._caller, **given, DisableRollback=True)
                self._id = answer["StackId"]
            else:
                await self._upstream.call("UpdateStack", self._caller, **given)
        except AwsError as exc:
            if "No updates are to be performed" in exc.message:
                return False
            raise UpstreamStackError(exc.message) from exc
        return True

    async def delete(self, retain: list[str] | None = None) -> None:
        """Delete the stack with its resources. Raises UpstreamStackError."""
        if self._id is None:
            return
        self._rolls_back = False
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
        self._id = self.resources = None

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
        self._record_event(event)


def _reference(logical_id: str, attribute: str | None) -> Params:
    return {"Ref": logical_id} if attribute is None else {"Fn::GetAtt": [logical_id, attribute]}
