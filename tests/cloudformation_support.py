"""What the tests of CloudFormation share: a client that waits for what it began."""

from __future__ import annotations

import textwrap
from typing import Any

from localbus.pytest_plugin import Localbus
from localbus_support import eventually


class StackClient:
    """CloudFormation of an engine, which waits for what it began."""

    def __init__(self, localbus: Localbus) -> None:
        self.client = localbus.client("cloudformation")
        self.sqs, self.sns = localbus.client("sqs"), localbus.client("sns")

    def create(self, template: str, name: str = "shop", **given: Any) -> str:
        """Create a stack and say how that ended."""
        self.client.create_stack(StackName=name, TemplateBody=textwrap.dedent(template), **_parameters(given))
        return self.settled(name)

    def update(self, template: str, name: str = "shop", **given: Any) -> str:
        """Change a stack and say how that ended."""
        self.client.update_stack(StackName=name, TemplateBody=textwrap.dedent(template), **_parameters(given))
        return self.settled(name)

    def delete(self, name: str = "shop") -> str:
        """Delete a stack and say how that ended."""
        stack_id = self.stack(name)["StackId"]
        self.client.delete_stack(StackName=name)
        return self.settled(stack_id)

    def settled(self, name: str) -> str:
        """The state in which the stack rests."""
        return str(eventually(lambda: _at_rest(self.stack(name)["StackStatus"])))

    def stack(self, name: str = "shop") -> dict[str, Any]:
        """The stack as it is described."""
        found: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def outputs(self, name: str = "shop") -> dict[str, str]:
        """The outputs by name."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.stack(name).get("Outputs", [])}

    def physical_id(self, logical_id: str, name: str = "shop") -> str:
        """What a resource is called by its service."""
        found = self.client.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def events(self, name: str = "shop") -> list[tuple[str, str]]:
        """What happened, the first thing first."""
        found = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(found)]

    def reason(self, logical_id: str, status: str, name: str = "shop") -> str:
        """Why a resource came into a state."""
        for event in self.client.describe_stack_events(StackName=name)["StackEvents"]:
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (logical_id, status):
                return str(event.get("ResourceStatusReason", ""))
        raise AssertionError(f"{logical_id} never was {status}")

    def attributes(self, url: str) -> dict[str, str]:
        """A queue's attributes."""
        found: dict[str, str] = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found


def _at_rest(status: str) -> str | None:
    return None if status.endswith("_IN_PROGRESS") else status


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    own = {key: given.pop(key) for key in list(given) if key in {"OnFailure", "DisableRollback", "Tags"}}
    return own | {"Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]}
