"""Change sets: the changes that an update of a stack would make, line by line, before it makes them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from orderboard_stack.stack import DeployFailedError

if TYPE_CHECKING:
    from types_boto3_cloudformation.client import CloudFormationClient
    from types_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef, ResourceChangeTypeDef

_POLL_S: Final = 0.1
_NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """A line of a change set. replacement, of a Modify: True, False, Conditional. properties: name and recreation."""

    action: str
    logical_id: str
    resource_type: str
    replacement: str
    properties: Mapping[str, str]

    @property
    def deletes(self) -> bool:
        """True if a resource is deleted with what is in it, for good or for another in its place."""
        return self.action == "Remove" or self.replacement == "True"

    @property
    def may_delete(self) -> bool:
        """True if that follows only from what the update finds."""
        return self.replacement == "Conditional"

    def __str__(self) -> str:
        replacement = f"Replacement: {self.replacement}" if self.replacement else ""
        names = ", ".join(f"{name} (recreation: {needs})" for name, needs in self.properties.items())
        head = f"{self.action:<7} {self.logical_id} ({self.resource_type})"
        return "  ".join(each for each in (head, replacement, names) if each)


@dataclass(frozen=True)
class ChangeSet:
    """A change set of a stack, by its name."""

    client: "CloudFormationClient"
    stack_name: str
    name: str

    def create(
        self,
        template: str,
        parameters: Mapping[str, str] = MappingProxyType({}),
        *,
        of_new_stack: bool = False,
        within_s: float = 120,
    ) -> tuple[Change, ...]:
        """Create it and return its lines; if there are none, no change set is left. Raises DeployFailedError."""
        self.client.create_change_set(
            StackName=self.stack_name,
            ChangeSetName=self.name,
            ChangeSetType="CREATE" if of_new_stack else "UPDATE",
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        deadline = time.monotonic() + within_s
        while (found := self._describe())["Status"] not in ("CREATE_COMPLETE", "FAILED"):
            if time.monotonic() > deadline:
                raise DeployFailedError(f"The change set {self.name} is {found['Status']} after {within_s:g} s.")
            time.sleep(_POLL_S)
        if found["Status"] == "CREATE_COMPLETE":
            return self.changes()
        self.delete()
        reason = found.get("StatusReason", "")
        if any(each in reason for each in _NO_CHANGES):
            return ()
        raise DeployFailedError(f"CloudFormation made no change set of {self.stack_name}: {reason}")

    def changes(self) -> tuple[Change, ...]:
        """Return its lines."""
        found, lines = self._describe(), list[Change]()
        while True:
            lines += [_change(each["ResourceChange"]) for each in found["Changes"] if "ResourceChange" in each]
            if "NextToken" not in found:
                return tuple(lines)
            found = self._describe(found["NextToken"])

    def execute(self) -> None:
        """Start to make its changes."""
        self.client.execute_change_set(StackName=self.stack_name, ChangeSetName=self.name)

    def delete(self) -> None:
        """Forget it."""
        self.client.delete_change_set(StackName=self.stack_name, ChangeSetName=self.name)

    def _describe(self, token: str | None = None) -> "DescribeChangeSetOutputTypeDef":
        if token is None:
            return self.client.describe_change_set(StackName=self.stack_name, ChangeSetName=self.name)
        return self.client.describe_change_set(StackName=self.stack_name, ChangeSetName=self.name, NextToken=token)


def _change(found: "ResourceChangeTypeDef") -> Change:
    properties = {
        target["Name"]: target.get("RequiresRecreation", "")
        for each in found.get("Details", [])
        if "Name" in (target := each.get("Target", {}))
    }
    return Change(
        found.get("Action", ""),
        found.get("LogicalResourceId", ""),
        found.get("ResourceType", ""),
        found.get("Replacement", ""),
        properties,
    )
