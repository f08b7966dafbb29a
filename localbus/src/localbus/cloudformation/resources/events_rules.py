"""AWS::Events::Rule with its targets.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
"""

from __future__ import annotations

from typing import Any

from localbus.cloudformation.resources.base import Made, Properties, ResourceType, Site, already_exists, fit, tags_of
from localbus.cloudformation.resources.events_buses import retag
from localbus.errors import AwsError
from localbus.protocol.service_model import Params

_GONE = "ResourceNotFoundException"
_DEFAULT_BUS = "default"


class RuleType(ResourceType):
    """A rule. Its `Ref` is its name, after its bus and a bar where that is not the default bus."""

    name = "AWS::Events::Rule"
    properties = frozenset(
        {
            "Description",
            "EventBusName",
            "EventPattern",
            "Name",
            "RoleArn",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        }
    )
    documents = frozenset({"EventPattern", "Targets"})
    replacing = frozenset({"EventBusName", "Name"})
    attributes = frozenset({"Arn"})
    name_property = "Name"
    takes_tags = True

    async def create(self, site: Site, properties: Properties) -> Made:
        """PutRule and PutTargets."""
        bus = properties.get("EventBusName", _DEFAULT_BUS)
        name = properties.get("Name")
        if name is None:
            name = site.new_name(64)
        elif await _is_there(site, bus, name):
            raise already_exists(self.name, name)
        targets = _targets(site, properties)
        arn = await self._put(site, name, properties)
        bus_name = bus.rpartition("/")[2]
        made = Made(name if bus_name == _DEFAULT_BUS else f"{bus_name}|{name}", {"Arn": arn})
        try:
            await _put_targets(site, bus, name, targets)
        except AwsError:
            await self.delete(site, made, {**properties, "Targets": []})
            raise
        return made

    async def update(self, site: Site, made: Made, old: Properties, new: Properties) -> Made:
        """PutRule, and the targets where they differ."""
        bus, name = new.get("EventBusName", _DEFAULT_BUS), _name_of(made)
        targets = _targets(site, new)
        await self._put(site, name, new)
        gone = {one["Id"] for one in _targets(site, old)} - {one["Id"] for one in targets}
        if gone:
            await site.call("events", "RemoveTargets", EventBusName=bus, Rule=name, Ids=sorted(gone))
        await _put_targets(site, bus, name, targets)
        await retag(site, made.attributes["Arn"], old, new)
        return made

    async def delete(self, site: Site, made: Made, properties: Properties) -> None:
        """RemoveTargets and DeleteRule. Targets that others have put there go too."""
        bus, name = properties.get("EventBusName", _DEFAULT_BUS), _name_of(made)
        try:
            shown = await site.call("events", "ListTargetsByRule", EventBusName=bus, Rule=name)
            ids = [one["Id"] for one in shown["Targets"]]
            if ids:
                await site.call("events", "RemoveTargets", EventBusName=bus, Rule=name, Ids=ids)
            await site.call("events", "DeleteRule", EventBusName=bus, Name=name)
        except AwsError as exc:
            if exc.code != _GONE:
                raise

    async def _put(self, site: Site, name: str, properties: Properties) -> str:
        given = {key: value for key, value in properties.items() if key not in {"Tags", "Targets"}}
        wanted: Params = fit(site.shape("events", "PutRule"), given | {"Name": name})
        answer = await site.call("events", "PutRule", **wanted, Tags=tags_of(properties) or None)
        arn: str = answer["RuleArn"]
        return arn


def _targets(site: Site, properties: Properties) -> list[Any]:
    shape = site.shape("events", "PutTargets").members["Targets"]
    targets: list[Any] = fit(shape, properties.get("Targets") or [], "#/Targets")
    return targets


async def _put_targets(site: Site, bus: str, rule: str, targets: list[Any]) -> None:
    if not targets:
        return
    answer = await site.call("events", "PutTargets", EventBusName=bus, Rule=rule, Targets=targets)
    for failed in answer["FailedEntries"]:
        raise AwsError(failed["ErrorCode"], failed["ErrorMessage"])


def _name_of(made: Made) -> str:
    return made.physical_id.rpartition("|")[2]


async def _is_there(site: Site, bus: str, name: str) -> bool:
    try:
        await site.call("events", "DescribeRule", EventBusName=bus, Name=name)
    except AwsError as exc:
        if exc.code == _GONE:
            return False
        raise
    return True
