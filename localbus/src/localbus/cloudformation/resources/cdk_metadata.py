"""AWS::CDK::Metadata: the versions of a CDK app, which its stacks have as a resource without any effect."""

from __future__ import annotations

from localbus.cloudformation.resources.base import PhysicalResource, Properties, ResourceContext, ResourceType
from localbus.ids import new_id


class CdkMetadataType(ResourceType):
    """The versions in a CDK app."""

    name = "AWS::CDK::Metadata"
    properties = frozenset({"Analytics", "Modules"})

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """Give it an id."""
        return PhysicalResource(new_id())

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """Keep its id."""
        return PhysicalResource(context.physical_id)

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """Do nothing: only the stack knows of it."""
