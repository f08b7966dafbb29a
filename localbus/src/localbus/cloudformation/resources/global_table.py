"""AWS::DynamoDB::GlobalTable with one replica, in the stack's own region: a table (as the CDK's TableV2 makes it).

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localbus.cloudformation.resources.base import PhysicalResource, Properties, ResourceContext, structures_problems
from localbus.cloudformation.resources.dynamodb import TableType
from localbus.errors import AwsError

_OF_TABLE = frozenset(
    {
        *("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes"),
        *("SSESpecification", "StreamSpecification", "TableName", "TimeToLiveSpecification", "WarmThroughput"),
    }
)
_OF_REPLICA = frozenset({"DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "TableClass", "Tags"})
_NOT_BUILT = frozenset(
    {
        *("GlobalTableSourceArn", "GlobalTableWitnesses", "MultiRegionConsistency"),
        *("WriteOnDemandThroughputSettings", "WriteProvisionedThroughputSettings"),
    }
)


class GlobalTableType(TableType):
    """A global table that is a table: other replicas, and settings that only they have, are refused."""

    name = "AWS::DynamoDB::GlobalTable"
    properties = _OF_TABLE | _NOT_BUILT | {"Replicas"}
    required = frozenset({"AttributeDefinitions", "KeySchema", "Replicas"})
    documents = properties - {"BillingMode", "TableName"}
    attributes = TableType.attributes | {"TableId"}
    takes_tags = False

    def _problems(self, name: str, value: Any) -> Iterator[str]:
        if name != "Replicas":
            yield from super()._problems(name, value)
            return
        problems = list(structures_problems("#/Replicas", value, ("Region",), flat=False))
        if value == []:
            problems = ["#/Replicas: expected minimum item count: 1, found: 0"]
        yield from problems
        for place, replica in enumerate([] if problems else value):
            for member in sorted(_OF_REPLICA & replica.keys()):
                found = super()._problems(member, replica[member])
                yield from (problem.replace("#/", f"#/Replicas/{place}/", 1) for problem in found)

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """CreateTable, and what follows it."""
        _check_replicas(properties, context)
        return await super().create(context, _table(properties))

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """UpdateTable for each difference, time to live, recovery and tags."""
        _check_replicas(new, context)
        return await super().update(context, _table(old), _table(new))

    async def restore(self, context: ResourceContext, failed: Properties, before: Properties) -> PhysicalResource:
        """Do it without the checks of an update."""
        return await super().restore(context, _table(failed), _table(before))


def _check_replicas(properties: Properties, context: ResourceContext) -> None:
    replicas, region = properties["Replicas"], context.caller.region
    if [each["Region"] for each in replicas] != [region]:
        text = f"localbus does not implement replicas in other regions: expected one replica, in {region}."
        raise AwsError("NotImplemented", text)
    found = properties.keys() & _NOT_BUILT
    if found:
        text = f"localbus does not implement {', '.join(sorted(found))} of AWS::DynamoDB::GlobalTable."
        raise AwsError("NotImplemented", text)
    unknown = replicas[0].keys() - _OF_REPLICA - {"Region"}
    if unknown:
        text = f"localbus does not implement {', '.join(sorted(unknown))} of a replica of AWS::DynamoDB::GlobalTable."
        raise AwsError("NotImplemented", text)


def _table(properties: Properties) -> Properties:
    """Return the properties of AWS::DynamoDB::Table, which they may be already."""
    if "Replicas" not in properties:
        return properties
    kept = {name: value for name, value in properties.items() if name in _OF_TABLE}
    return kept | {name: value for name, value in properties["Replicas"][0].items() if name in _OF_REPLICA}
