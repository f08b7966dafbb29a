"""One CloudFormation stack: create, update, delete, wait, and report the resources that failed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import ClientError

from orderboard_stack.clients import CLIENT_CONFIG

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

Progress = Callable[[str], None]

_CANCELLED: Final = "cancelled"  # CloudFormation's reason for resources that failed only because another one did
# States of a stack that can only be deleted.
_UNUSABLE: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")
_EVENTS_EVERY_S: Final = 1.0


@dataclass(frozen=True)
class ResourceFailure:
    """One resource that could not be created, updated or deleted."""

    logical_id: str
    resource_type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}): {self.reason or 'no reason given'}"


class DeployFailedError(Exception):
    """The stack does not match the template. failures names the resources; empty when all of it was rejected."""

    def __init__(self, message: str, failures: tuple[ResourceFailure, ...] = ()) -> None:
        # Resources without a reason failed because another one did: they are listed only if no other failed.
        self.failures = tuple(each for each in failures if each.reason) or failures
        super().__init__("\n".join((message, *(f"  {each}" for each in self.failures))))


class Stack:
    """A stack by its name, whether it exists or not."""

    def __init__(
        self,
        session: boto3.Session,
        endpoint_url: str | None,
        name: str,
        *,
        progress: Progress,
        within_s: float,
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.name = name
        self._tags = tags
        self._client = session.client("cloudformation", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
        self._progress = progress
        self._within_s = within_s
        self._poll_s = 0.05 if endpoint_url else 3.0
        self._reported: set[str] = set()

    def state(self) -> str | None:
        """CREATE_COMPLETE and the like; None if it does not exist."""
        found = self._describe(self.name)
        return found["StackStatus"] if found else None

    def is_unusable(self) -> bool:
        """Return whether it exists and cannot be updated, only deleted."""
        return self.state() in _UNUSABLE

    def settle(self) -> None:
        """Wait for an operation that is under way, such as one that went on after its engine was restarted."""
        deadline = time.monotonic() + self._within_s
        while (state := self.state()) is not None and state.endswith("_IN_PROGRESS") and state not in _UNUSABLE:
            if time.monotonic() >= deadline:
                raise DeployFailedError(f"Stack {self.name} is {state} after {self._within_s:g} s.")
            self._progress(f"stack {self.name}: {state}")
            time.sleep(self._poll_s)

    def outputs(self) -> dict[str, str]:
        """Return its outputs; none if it does not exist."""
        found = self._describe(self.name)
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])} if found else {}

    def has(self, template: str, parameters: Mapping[str, str]) -> bool:
        """Return whether it has exactly this template and these parameters, with the template's defaults."""
        found = self._describe(self.name)
        if found is None or not found["StackStatus"].endswith("_COMPLETE"):
            return False
        current = {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])}
        same = all(current.get(key) == value for key, value in parameters.items())
        # boto3's type says dict, which is so for templates in JSON only.
        return same and str(self._client.get_template(StackName=self.name)["TemplateBody"]) == template

    def create(self, template: str, parameters: Mapping[str, str]) -> None:
        """Create it and wait. Raises DeployFailedError."""
        self._change("create", template, parameters)

    def update(self, template: str, parameters: Mapping[str, str]) -> None:
        """Update it where it differs and wait. Raises DeployFailedError."""
        self._reported.update(event["EventId"] for event in self._events(self.name))
        self._change("update", template, parameters)

    def delete(self) -> None:
        """Delete it and wait. It need not exist. Raises DeployFailedError."""
        found = self._describe(self.name)
        if found is None:
            return
        stack_id = found["StackId"]
        self._reported.update(event["EventId"] for event in self._events(stack_id))
        self._client.delete_stack(StackName=self.name)
        self._wait(stack_id, "DELETE_COMPLETE")

    def _change(self, verb: str, template: str, parameters: Mapping[str, str]) -> None:
        call = self._client.create_stack if verb == "create" else self._client.update_stack
        try:
            answer = call(
                StackName=self.name,
                TemplateBody=template,
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Tags=[{"Key": key, "Value": value} for key, value in self._tags.items()],
            )
        except ClientError as exc:
            if "No updates are to be performed" in _message(exc):
                self._progress(f"stack {self.name}: nothing to change")
                return
            raise DeployFailedError(f"CloudFormation rejected the template: {_message(exc)}") from exc
        self._wait(answer["StackId"], f"{verb.upper()}_COMPLETE")

    def _wait(self, stack_id: str, expected: str) -> None:
        deadline = time.monotonic() + self._within_s
        events_at = time.monotonic() + _EVENTS_EVERY_S
        failures: list[ResourceFailure] = []
        while time.monotonic() < deadline:
            found = self._describe(stack_id)
            state = found["StackStatus"] if found else "DELETE_COMPLETE"
            ended = not state.endswith("_IN_PROGRESS")
            if ended or time.monotonic() >= events_at:
                failures += self._report_events(stack_id)
                events_at = time.monotonic() + _EVENTS_EVERY_S
            if state == expected:
                return
            if ended:
                reason = found.get("StackStatusReason", "") if found else ""
                raise DeployFailedError(f"Stack {self.name} is {state}. {reason}".rstrip(), tuple(failures))
            time.sleep(self._poll_s)
        raise DeployFailedError(f"Stack {self.name} is not {expected} after {self._within_s:g} s.", tuple(failures))

    def _report_events(self, stack_id: str) -> list[ResourceFailure]:
        """Report the new events as progress; return the failures among them."""
        failures = []
        for event in reversed(self._events(stack_id)):
            if event["EventId"] in self._reported:
                continue
            self._reported.add(event["EventId"])
            status, logical_id = event.get("ResourceStatus", ""), event.get("LogicalResourceId", "")
            if event.get("ResourceType") == "AWS::CloudFormation::Stack":
                continue
            reason = event.get("ResourceStatusReason", "")
            if status.endswith("_FAILED") and _CANCELLED not in reason.lower():
                failures.append(ResourceFailure(logical_id, event.get("ResourceType", ""), reason))
            if status.endswith(("_COMPLETE", "_FAILED")):
                self._progress(f"{logical_id} {status}")
        return failures

    def _events(self, stack: str) -> "list[StackEventTypeDef]":
        try:
            pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack)
            return [event for page in pages for event in page["StackEvents"]]
        except ClientError as exc:
            if _is_missing(exc):
                return []
            raise

    def _describe(self, stack: str) -> "StackTypeDef | None":
        try:
            found = self._client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as exc:
            if _is_missing(exc):
                return None
            raise
        return found[0] if found and found[0]["StackStatus"] != "DELETE_COMPLETE" else None


def _message(exc: ClientError) -> str:
    return exc.response["Error"].get("Message", str(exc))


def _is_missing(exc: ClientError) -> bool:
    return exc.response["Error"]["Code"] == "ValidationError" and "does not exist" in _message(exc)
