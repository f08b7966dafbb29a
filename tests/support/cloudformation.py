"""A CloudFormation client for tests, which waits for stacks."""

from __future__ import annotations

import textwrap
from typing import Any

from localbus.pytest_plugin import Localbus

from support.localbus import refused
from support.waiting import poll_until

_CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
_OPTIONS = {
    "Capabilities",
    "DisableRollback",
    "NotificationARNs",
    "OnFailure",
    "StackPolicyBody",
    "StackPolicyDuringUpdateBody",
    "Tags",
    "TimeoutInMinutes",
}


class StackClient:
    """CloudFormation of an engine. Methods use the stack `shop` unless they get a name."""

    def __init__(self, localbus: Localbus) -> None:
        self.client = localbus.client("cloudformation")
        self.sqs, self.sns = localbus.client("sqs"), localbus.client("sns")

    def create(self, template: str, name: str = "shop", **given: Any) -> str:
        """Create a stack; its final status."""
        given = {"Capabilities": _CAPABILITIES} | _parameters(given)
        self.client.create_stack(StackName=name, TemplateBody=textwrap.dedent(template), **given)
        return self.final_status(name)

    def update(self, template: str, name: str = "shop", **given: Any) -> str:
        """Update a stack; its final status."""
        given = {"Capabilities": _CAPABILITIES} | _parameters(given)
        self.client.update_stack(StackName=name, TemplateBody=textwrap.dedent(template), **given)
        return self.final_status(name)

    def delete(self, name: str = "shop") -> str:
        """Delete a stack; its final status."""
        stack_id = self.stack(name)["StackId"]
        self.client.delete_stack(StackName=name)
        return self.final_status(stack_id)

    def rejected(self, operation: str = "create_stack", **params: Any) -> tuple[str, str]:
        """Call an operation that fails; the code and message of its error."""
        return refused(getattr(self.client, operation), **{"StackName": "shop", **params})

    def final_status(self, name: str = "shop") -> str:
        """The status of a stack once nothing is in progress."""

        def status() -> str | None:
            found = str(self.stack(name)["StackStatus"])
            return None if found.endswith("_IN_PROGRESS") else found

        return str(poll_until(status))

    def stack(self, name: str = "shop") -> dict[str, Any]:
        """The description of a stack."""
        found: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def outputs(self, name: str = "shop") -> dict[str, str]:
        """The outputs by name."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.stack(name).get("Outputs", [])}

    def logical_ids(self) -> set[str]:
        """The logical ids of the resources."""
        found = self.client.list_stack_resources(StackName="shop")["StackResourceSummaries"]
        return {one["LogicalResourceId"] for one in found}

    def physical_id(self, logical_id: str) -> str:
        """The physical id of a resource."""
        found = self.client.describe_stack_resource(StackName="shop", LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def events(self, name: str = "shop") -> list[tuple[str, str]]:
        """The logical id and status of every event, the oldest first."""
        found = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(found)]

    def reason(self, logical_id: str, status: str) -> str:
        """The reason of a resource's status."""
        for event in self.client.describe_stack_events(StackName="shop")["StackEvents"]:
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (logical_id, status):
                return str(event.get("ResourceStatusReason", ""))
        raise AssertionError(f"{logical_id} was never {status}")

    def attributes(self, url: str) -> dict[str, str]:
        """A queue's attributes."""
        found: dict[str, str] = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found

    def topic_attributes(self, arn: str) -> dict[str, str]:
        """A topic's attributes."""
        found: dict[str, str] = self.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        return found

    def queues(self) -> list[str]:
        """The names of all queues."""
        return [url.rpartition("/")[2] for url in self.sqs.list_queues().get("QueueUrls", [])]

    def topics(self) -> list[str]:
        """The ARNs of all topics."""
        return [one["TopicArn"] for one in self.sns.list_topics()["Topics"]]

    def bodies(self, url: str) -> list[str]:
        """The bodies of the messages that are visible in a queue."""
        return [
            message["Body"] for message in self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages", [])
        ]


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    options = {key: given.pop(key) for key in list(given) if key in _OPTIONS}
    return options | {"Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]}
