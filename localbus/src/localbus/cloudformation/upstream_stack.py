"""The part of a stack that another engine makes: one stack upstream, of the same name, with just those resources.

Its template has no parameters and no conditions: everything is a literal but references among its own resources. What
this engine must know of them (`Ref`, `Fn::GetAtt`) comes back as outputs of that stack.
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

Tell = Callable[[Params], None]


class ShadowFailedError(Exception):
    """The upstream's stack is not as it was to be; the message says why."""


class ShadowStack:
    """The upstream's stack, there or not."""

    def __init__(self, upstream: UpstreamCloudFormation, name: str, caller: Caller) -> None:
        self._upstream = upstream
        self._name = name
        self._caller = caller
        self._id: str | None = None
        self._told: set[str] = set()
        self._rolls_back = False
        self._held_back: list[Params] = []
        self.resources: Mapping[str, Any] | None = None  # as they were last deployed
        self.values: dict[tuple[str, str | None], str] = {}
        self.physical_ids: dict[str, str] = {}

    @property
    def is_there(self) -> bool:
        """Whether there is anything upstream."""
        return self._id is not None

    async def deploy(
        self,
        resources: Mapping[str, Any],
        wanted: Iterable[tuple[str, str | None]],
        tags: list[dict[str, str]],
        tell: Tell,
    ) -> None:
        """Make these the stack's resources and get the wanted values. `tell` gets each event of a resource.

        Raises ShadowFailedError. What was made on a failed creation stays until `delete`; a failed change is taken
        back, and its events are told by `tell_rest`.
        """
        keys = {f"Value{place}": value for place, value in enumerate(sorted(wanted, key=str))}
        outputs = {key: {"Value": _reference(*value)} for key, value in keys.items() if value[0] in resources}
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        body = json.dumps(template | ({"Outputs": outputs} if outputs else {}))
        given = {"TemplateBody": body, "Capabilities": _CAPABILITIES, "Tags": tags, "StackName": self._name}
        self._rolls_back = False
        if not await self._start(given):
            return
        shown = await self._wait(tell)
        if shown["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            raise ShadowFailedError(
                shown.get("StackStatusReason") or f"The upstream's stack is {shown['StackStatus']}."
            )
        self.resources = resources
        self.values = {keys[one["OutputKey"]]: one["OutputValue"] for one in shown.get("Outputs", [])}
        found = await self._upstream.call("DescribeStackResources", self._caller, StackName=self._name)
        self.physical_ids = {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in found["StackResources"]
        }

    async def _start(self, given: Params) -> bool:
        """Begin; False when there is nothing to do."""
        try:
            if self._id is None:
                answer = await self._upstream.call("CreateStack", self._caller, **given, DisableRollback=True)
                self._id = answer["StackId"]
            else:
                await self._upstream.call("UpdateStack", self._caller, **given)
        except AwsError as exc:
            if "No updates are to be performed" in exc.message:
                return False
            raise ShadowFailedError(exc.message) from exc
        return True

    async def delete(self, tell: Tell, retain: list[str] | None = None) -> None:
        """Delete it with all that is in it. Raises ShadowFailedError."""
        if self._id is None:
            return
        self._rolls_back = False
        try:
            given: Params = {"RetainResources": retain} if retain else {}
            await self._upstream.call("DeleteStack", self._caller, StackName=self._id, **given)
            shown = await self._wait(tell)
        except AwsError as exc:
            if "does not exist" not in exc.message:
                raise ShadowFailedError(exc.message) from exc
        else:
            if shown["StackStatus"] != "DELETE_COMPLETE":
                raise ShadowFailedError(shown.get("StackStatusReason") or "The upstream could not delete its stack.")
        self._id = self.resources = None

    async def _wait(self, tell: Tell) -> Params:
        """Wait till nothing is being done upstream. This is real time, whatever the engine's clock says."""
        polls = 0
        while True:
            try:
                answer = await self._upstream.call("DescribeStacks", self._caller, StackName=self._id)
            except AwsError as exc:
                raise ShadowFailedError(exc.message) from exc
            shown: Params = answer["Stacks"][0]
            done = not shown["StackStatus"].endswith("_IN_PROGRESS")
            if done or polls % _POLLS_BETWEEN_EVENTS == _POLLS_BETWEEN_EVENTS - 1:
                await self._tell_news(tell)
            if done:
                return shown
            polls += 1
            await asyncio.sleep(_POLL_S)

    async def _tell_news(self, tell: Tell) -> None:
        for event in await self._news():
            if event["ResourceType"] == _STACK and event["LogicalResourceId"] == self._name:
                self._rolls_back = self._rolls_back or "ROLLBACK" in event["ResourceStatus"]
            elif self._rolls_back:
                self._held_back.append(event)
            else:
                tell(event)

    async def _news(self) -> list[Params]:
        """The events that are new, the oldest first."""
        news: list[Params] = []
        token: Params = {}
        while True:
            page = await self._upstream.call("DescribeStackEvents", self._caller, StackName=self._id, **token)
            fresh = [event for event in page["StackEvents"] if event["EventId"] not in self._told]
            news += fresh
            if len(fresh) < len(page["StackEvents"]) or not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        self._told.update(event["EventId"] for event in news)
        return news[::-1]

    def tell_rest(self, tell: Tell) -> None:
        """Tell what the upstream did when it took a failed change back."""
        for event in self._held_back:
            tell(event)
        self._held_back.clear()


def _reference(logical_id: str, attribute: str | None) -> Params:
    return {"Ref": logical_id} if attribute is None else {"Fn::GetAtt": [logical_id, attribute]}
