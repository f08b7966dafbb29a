"""AWS::Lambda::EventSourceMapping in a stack: made, tagged, changed and taken away.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from __future__ import annotations

from typing import Any

from fake_lambda import ME, QUEUE_ARN, MappingBench, mapping_bench
from localbus.cloudformation.resources.base import ResourceContext
from localbus.cloudformation.resources.lambda_ import MappingType
from localbus.lambda_ import api as lambda_api

STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/0f0e0d0c-0b0a-0908-0706-050403020100"
OWN_TAGS = {
    "aws:cloudformation:logical-id": "Mapping",
    "aws:cloudformation:stack-id": STACK_ID,
    "aws:cloudformation:stack-name": "shop",
}
GIVEN: dict[str, Any] = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"}


def context_of(it: MappingBench) -> ResourceContext:
    """The place of the resource `Mapping` in the stack `shop`."""
    return ResourceContext(
        {"lambda": lambda_api.service(it.mappings)}, ME, "shop", STACK_ID, "Mapping", lambda _arn: None
    )


async def test_a_mapping_has_the_tags_of_its_template_and_those_of_cloudformation() -> None:
    """Its own tags are CloudFormation's to keep, however the template's change (recorded of AWS)."""
    async with mapping_bench() as it:
        it.queue()
        kind, place = MappingType(), context_of(it)
        before = {**GIVEN, "Tags": [{"Key": "my", "Value": "tag"}]}

        made = await kind.create(place, before)
        first = await it.call("ListTags", Resource=made.attributes["EventSourceMappingArn"])
        await kind.update(place, made, before, {**GIVEN, "Tags": [{"Key": "your", "Value": "tag"}]})
        second = await it.call("ListTags", Resource=made.attributes["EventSourceMappingArn"])

        assert first["Tags"] == {"my": "tag", **OWN_TAGS}
        assert second["Tags"] == {"your": "tag", **OWN_TAGS}


async def test_a_mapping_changes_in_its_place_and_goes() -> None:
    """What the template no longer says has its default again; what is gone already is no failure."""
    async with mapping_bench() as it:
        it.queue()
        kind, place = MappingType(), context_of(it)
        before = {**GIVEN, "BatchSize": "3", "Enabled": False}

        made = await kind.create(place, before)
        old = await it.call("GetEventSourceMapping", UUID=made.physical_id)
        await kind.update(place, made, before, GIVEN)
        new = await it.call("GetEventSourceMapping", UUID=made.physical_id)
        await kind.delete(place, made, GIVEN)
        await kind.delete(place, made, GIVEN)

        assert (old["BatchSize"], old["State"]) == (3, "Disabled")
        assert (new["BatchSize"], new["State"]) == (10, "Enabled")
        assert list(it.mappings) == []
