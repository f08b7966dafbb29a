"""Tags of buses and rules: validation and the tagging actions."""

from __future__ import annotations

from localbus.events.errors import invalid
from localbus.events.state import EventBridge
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MAX_TAGS = 50


def read_tags(given: list[Params], current: dict[str, str]) -> dict[str, str]:
    """Return tags by key. Raises ValidationException for too many, and for keys that are reserved for AWS."""
    tags = {one["Key"]: one["Value"] for one in given}
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys must not start with aws:.")
    if len(current | tags) > MAX_TAGS:
        raise invalid(f"A resource has at most {MAX_TAGS} tags.")
    return tags


def tag_resource(events: EventBridge, params: Params, caller: Caller) -> Params:
    """TagResource."""
    tagged = events.buses.tagged(params["ResourceARN"], caller)
    tagged.tags |= read_tags(params["Tags"], tagged.tags)
    events.buses.save_tagged(tagged)
    return {}


def untag_resource(events: EventBridge, params: Params, caller: Caller) -> Params:
    """UntagResource."""
    tagged = events.buses.tagged(params["ResourceARN"], caller)
    for key in params["TagKeys"]:
        tagged.tags.pop(key, None)
    events.buses.save_tagged(tagged)
    return {}


def list_tags_for_resource(events: EventBridge, params: Params, caller: Caller) -> Params:
    """ListTagsForResource."""
    tags = events.buses.tagged(params["ResourceARN"], caller).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
