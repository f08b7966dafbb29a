"""AWS::Lambda::EventSourceMapping in a stack: created, tagged, updated and deleted.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localbus.cloudformation.resources.base import ResourceContext
from localbus.cloudformation.resources.lambda_ import MappingType
from localbus.lambda_ import api as lambda_api
from support.fake_lambda import ME, QUEUE_ARN, MappingBench, mapping_bench

STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/0f0e0d0c-0b0a-0908-0706-050403020100"
OWN_TAGS = {
    "aws:cloudformation:logical-id": "Mapping",
    "aws:cloudformation:stack-id": STACK_ID,
    "aws:cloudformation:stack-name": "shop",
}
GIVEN: dict[str, Any] = {"EventSourceArn": QUEUE_ARN, "FunctionName": "barista"}


def context_of(it: MappingBench) -> ResourceContext:
    """The context of the resource `Mapping` in the stack `shop`."""
    return ResourceContext(
        {"lambda": lambda_api.service(it.mappings)}, ME, "shop", STACK_ID, lambda _arn: None, "Mapping"
    )


async def test_a_mapping_has_the_tags_of_its_template_and_those_of_cloudformation() -> None:
    """CloudFormation's tags stay when the template's change (recorded of AWS)."""
    async with mapping_bench() as it:
        it.queue()
        kind, context = MappingType(), context_of(it)
        before = {**GIVEN, "Tags": [{"Key": "my", "Value": "tag"}]}

        created = await kind.create(context, before)
        existing = replace(context, resource=created)
        first = await it.call("ListTags", Resource=created.attributes["EventSourceMappingArn"])
        await kind.update(existing, before, {**GIVEN, "Tags": [{"Key": "your", "Value": "tag"}]})
        second = await it.call("ListTags", Resource=created.attributes["EventSourceMappingArn"])

        assert first["Tags"] == {"my": "tag", **OWN_TAGS}
        assert second["Tags"] == {"your": "tag", **OWN_TAGS}


async def test_a_mapping_is_updated_in_place_and_deleted() -> None:
    """Properties that are no longer set get their default; a second deletion succeeds."""
    async with mapping_bench() as it:
        it.queue()
        kind, context = MappingType(), context_of(it)
        before = {**GIVEN, "BatchSize": "3", "Enabled": False}

        created = await kind.create(context, before)
        existing = replace(context, resource=created)
        old = await it.call("GetEventSourceMapping", UUID=created.physical_id)
        await kind.update(existing, before, GIVEN)
        new = await it.call("GetEventSourceMapping", UUID=created.physical_id)
        await kind.delete(existing, GIVEN)
        await kind.delete(existing, GIVEN)

        assert (old["BatchSize"], old["State"]) == (3, "Disabled")
        assert (new["BatchSize"], new["State"]) == (10, "Enabled")
        assert list(it.mappings) == []
