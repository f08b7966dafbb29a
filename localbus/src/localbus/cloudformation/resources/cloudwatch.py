"""AWS::CloudWatch::Alarm and AWS::CloudWatch::Dashboard.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html
"""

from __future__ import annotations

from typing import ClassVar, Final

from localbus.cloudformation.resources.base import (
    PhysicalResource,
    Properties,
    ResourceContext,
    ResourceType,
    already_exists,
    tags_of,
    text_of,
)

_SERVICE: Final = "monitoring"


class AlarmType(ResourceType):
    """A metric alarm. Its `Ref` is its name."""

    name = "AWS::CloudWatch::Alarm"
    properties = frozenset(
        {
            "ActionsEnabled",
            "AlarmActions",
            "AlarmDescription",
            "AlarmName",
            "ComparisonOperator",
            "DatapointsToAlarm",
            "Dimensions",
            "EvaluateLowSampleCountPercentile",
            "EvaluationPeriods",
            "ExtendedStatistic",
            "InsufficientDataActions",
            "MetricName",
            "Metrics",
            "Namespace",
            "OKActions",
            "Period",
            "Statistic",
            "Tags",
            "Threshold",
            "ThresholdMetricId",
            "TreatMissingData",
            "Unit",
        }
    )
    required = frozenset({"EvaluationPeriods"})
    documents = frozenset({"Metrics"})
    lists = frozenset({"AlarmActions", "InsufficientDataActions", "OKActions"})
    structures: ClassVar = {**ResourceType.structures, "Dimensions": ("Name", "Value")}
    create_only = frozenset({"AlarmName"})
    attributes = frozenset({"Arn"})
    name_property = "AlarmName"
    takes_tags = True

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """PutMetricAlarm. An alarm of the given name must not exist."""
        given = properties.get("AlarmName")
        if given is not None:
            found = await context.call(_SERVICE, "DescribeAlarms", AlarmNames=[given])
            if found["MetricAlarms"]:
                raise already_exists(self.name, given)
        return await self._put(context, given or context.new_name(255), properties)

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """PutMetricAlarm, which replaces all but the tags."""
        updated = await self._put(context, context.physical_id, new)
        await context.retag(_SERVICE, {"ResourceARN": updated.attributes["Arn"]}, old, new)
        return updated

    async def _put(self, context: ResourceContext, name: str, properties: Properties) -> PhysicalResource:
        given = {key: value for key, value in properties.items() if key not in {"AlarmName", "Tags"}}
        given = {"AlarmName": name, **given}
        await context.call_coerced(_SERVICE, "PutMetricAlarm", given, Tags=tags_of(properties) or None)
        arn = f"arn:aws:cloudwatch:{context.caller.region}:{context.caller.account}:alarm:{name}"
        return PhysicalResource(name, {"Arn": arn})

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteAlarms, which ignores one that does not exist."""
        await context.call(_SERVICE, "DeleteAlarms", AlarmNames=[context.physical_id])


class DashboardType(ResourceType):
    """A dashboard. Its `Ref` is its name."""

    name = "AWS::CloudWatch::Dashboard"
    properties = frozenset({"DashboardBody", "DashboardName", "Tags"})
    required = frozenset({"DashboardBody"})
    documents = frozenset({"DashboardBody"})
    create_only = frozenset({"DashboardName"})
    name_property = "DashboardName"

    async def create(self, context: ResourceContext, properties: Properties) -> PhysicalResource:
        """PutDashboard. A dashboard of the given name must not exist."""
        given = properties.get("DashboardName")
        if given and await context.call_if_exists(_SERVICE, "GetDashboard", DashboardName=given):
            raise already_exists(self.name, given)
        return await self._put(context, given or context.new_name(255), properties)

    async def update(self, context: ResourceContext, old: Properties, new: Properties) -> PhysicalResource:
        """PutDashboard, which replaces the body."""
        return await self._put(context, context.physical_id, new)

    async def _put(self, context: ResourceContext, name: str, properties: Properties) -> PhysicalResource:
        body = text_of(properties["DashboardBody"])
        await context.call(_SERVICE, "PutDashboard", DashboardName=name, DashboardBody=body)
        return PhysicalResource(name)

    async def delete(self, context: ResourceContext, properties: Properties) -> None:
        """DeleteDashboards, unless it is gone already."""
        await context.call_if_exists(_SERVICE, "DeleteDashboards", DashboardNames=[context.physical_id])
