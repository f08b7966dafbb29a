"""One CloudFormation stack: make, change, delete it, wait for it, and say what failed and why."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import ClientError

from orderboard_stack.backend import CLIENT_CONFIG

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import ParameterTypeDef, StackEventTypeDef, StackTypeDef

Progress = Callable[[str], None]

_CANCELLED: Final = "cancelled"  # how CloudFormation excuses resources that failed only because another one did
# States of a stack that never came to be, or no longer is: it can only be deleted.
_STILLBORN: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")


@dataclass(frozen=True)
class ResourceFailure:
    """One resource that could not be made, changed or deleted."""

    logical_id: str
    resource_type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}): {self.reason or 'no reason given'}"


class DeployFailedError(Exception):
    """The stack is not as the template wants it. failures names the resources; empty when all of it was refused."""

    def __init__(self, message: str, failures: tuple[ResourceFailure, ...] = ()) -> None:
        # Resources without a reason failed because another one did; they are news only where there is no other.
        self.failures = tuple(each for each in failures if each.reason) or failures
        told = (
            f"  {each.logical_id} ({each.resource_type}): {each.reason or 'no reason given'}" for each in self.failures
        )
        super().__init__("\n".join((message, *told)))


class Stack:
    """A stack by its name, there or not."""

    def __init__(
        self, session: boto3.Session, endpoint_url: str | None, name: str, *, progress: Progress, within_s: float
    ) -> None:
        self.name = name
        self._client = session.client("cloudformation", endpoint_url=endpoint_url, config=CLIENT_CONFIG)
        self._progress = progress
        self._within_s = within_s
        self._poll_s = 0.1 if endpoint_url else 3.0
        self._told: set[str] = set()

    def state(self) -> str | None:
        """CREATE_COMPLETE and the like; None where there is no such stack."""
        found = self._describe(self.name)
        return found["StackStatus"] if found else None

    def is_unusable(self) -> bool:
        """Whether there is one that cannot be updated, only deleted."""
        return self.state() in _STILLBORN

    def has(self, template: str, parameters: Mapping[str, str]) -> bool:
        """Whether it was made of exactly this template and these parameters, the template's defaults not counted."""
        found = self._describe(self.name)
        if found is None or not found["StackStatus"].endswith("_COMPLETE"):
            return False
        current = {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])}
        same = all(current.get(key) == value for key, value in parameters.items())
        # boto3's type says dict, which is so for templates in JSON only.
        return same and str(self._client.get_template(StackName=self.name)["TemplateBody"]) == template

    def create(self, template: str, parameters: Mapping[str, str]) -> None:
        """Make it and wait. Raises DeployFailedError."""
        try:
            answer = self._client.create_stack(
                StackName=self.name,
                TemplateBody=template,
                Parameters=_parameters(parameters),
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        except ClientError as exc:
            raise DeployFailedError(f"CloudFormation refuses the template: {_message(exc)}") from exc
        self._wait(answer["StackId"], "CREATE_COMPLETE")

    def update(self, template: str, parameters: Mapping[str, str]) -> None:
        """Change it where it differs and wait. Raises DeployFailedError."""
        self._told.update(event["EventId"] for event in self._events(self.name))
        try:
            answer = self._client.update_stack(
                StackName=self.name,
                TemplateBody=template,
                Parameters=_parameters(parameters),
                Capabilities=["CAPABILITY_NAMED_IAM"],
            )
        except ClientError as exc:
            if "No updates are to be performed" in _message(exc):
                self._progress(f"stack {self.name}: nothing to change")
                return
            raise DeployFailedError(f"CloudFormation refuses the update: {_message(exc)}") from exc
        self._wait(answer["StackId"], "UPDATE_COMPLETE")

    def delete(self) -> None:
        """Delete it and wait. Deleting one that is not there is fine. Raises DeployFailedError."""
        found = self._describe(self.name)
        if found is None:
            return
        stack_id = found["StackId"]
        self._told.update(event["EventId"] for event in self._events(stack_id))
        self._client.delete_stack(StackName=self.name)
        self._wait(stack_id, "DELETE_COMPLETE")

    def _wait(self, stack_id: str, wanted: str) -> None:
        deadline = time.monotonic() + self._within_s
        failures: list[ResourceFailure] = []
        while time.monotonic() < deadline:
            failures += self._tell_news(stack_id)
            found = self._describe(stack_id)
            state = found["StackStatus"] if found else "DELETE_COMPLETE"
            if state == wanted:
                return
            if not state.endswith(("_IN_PROGRESS", "_CLEANUP_IN_PROGRESS")):
                failures += self._tell_news(stack_id)
                reason = found.get("StackStatusReason", "") if found else ""
                raise DeployFailedError(f"Stack {self.name} is {state}. {reason}".rstrip(), tuple(failures))
            time.sleep(self._poll_s)
        raise DeployFailedError(f"Stack {self.name} is not {wanted} within {self._within_s} s.", tuple(failures))

    def _tell_news(self, stack_id: str) -> list[ResourceFailure]:
        failures = []
        for event in reversed(self._events(stack_id)):
            if event["EventId"] in self._told:
                continue
            self._told.add(event["EventId"])
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


def _parameters(parameters: Mapping[str, str]) -> "list[ParameterTypeDef]":
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def _message(exc: ClientError) -> str:
    return exc.response["Error"].get("Message", str(exc))


def _is_missing(exc: ClientError) -> bool:
    return exc.response["Error"]["Code"] == "ValidationError" and "does not exist" in _message(exc)
