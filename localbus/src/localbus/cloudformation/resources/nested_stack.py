"""AWS::CloudFormation::Stack: a nested stack.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
"""

from __future__ import annotations

from localbus.cloudformation.resources.base import (
    NestedStacks,
    PhysicalResource,
    Properties,
    ResourceContext,
    ResourceType,
)

_OUTPUT = "Outputs."


class NestedStackType(ResourceType):
    """A nested stack. Its `Ref` is its id, and `Outputs.NAME` the value of one of its outputs.

    Every update of its parent updates it, since the file at TemplateURL may have changed.
    """

    name = "AWS::CloudFormation::Stack"
    properties = frozenset({"NotificationARNs", "Parameters", "Tags", "TemplateURL", "TimeoutInMinutes"})
    required = frozenset({"TemplateURL"})
    documents = frozenset({"Parameters"})
    lists = frozenset({"NotificationARNs"})
    takes_tags = True
    always_updates = True

    def has_attribute(self, name: str) -> bool:
        """True for the form of an output; the outputs themselves are known after the creation."""
        return name.startswith(_OUTPUT)

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """Start to create the stack."""
        return PhysicalResource(await _nested(context).create(context, properties))

    async def stabilize(self, context: ResourceContext) -> PhysicalResource:
        """Wait until it is created."""
        return _with_outputs(context, await _nested(context).created(context.physical_id))

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """Update the stack, as far as its parent may still be rolled back."""
        return _with_outputs(context, await _nested(context).update(context.physical_id, new))

    async def restore(self, context: ResourceContext, failed: Properties, before: Properties) -> PhysicalResource:
        """Roll the update back."""
        return _with_outputs(context, await _nested(context).roll_back(context.physical_id))

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """Delete the stack."""
        await _nested(context).delete(context.physical_id)


def _nested(context: ResourceContext) -> NestedStacks:
    assert context.nested is not None  # noqa: S101 (the state of CloudFormation sets it)
    return context.nested


def _with_outputs(context: ResourceContext, outputs: dict[str, str]) -> PhysicalResource:
    return PhysicalResource(context.physical_id, {f"{_OUTPUT}{name}": value for name, value in outputs.items()})
