"""The actions of Lambda on event source mappings. Those of other sources than queues are the upstream's.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and its neighbours
"""

from __future__ import annotations

from localbus.errors import AwsError, InvalidTokenError
from localbus.ids import new_id
from localbus.lambda_.mapping import EventSourceMapping, Settings
from localbus.lambda_.parameters import function_arn_of, invalid, is_queue, settings_of
from localbus.lambda_.state import EventSourceMappings
from localbus.lambda_.upstream_lambda import PATH, TAGS_PATH
from localbus.protocol.pagination import paginate
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sqs.registry import QueueRecord

MAX_TAGS = 50  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
MAX_PAGE = 100  # AWS caps MaxItems at this


async def create(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """CreateEventSourceMapping."""
    queue_arn = params.get("EventSourceArn", "")
    if not queue_arn and "SelfManagedEventSource" not in params:
        raise invalid("Unrecognized event source.")
    if not is_queue(queue_arn):
        await mappings.before_upstream(params, caller)
        return await mappings.upstream.request("POST", PATH, caller, params)
    queue = mappings.sqs.queues.by_arn(queue_arn)
    settings = settings_of(params, Settings(), fifo=queue_arn.endswith(".fifo"))
    function_arn = function_arn_of(params["FunctionName"], caller)
    timeout_s = await mappings.upstream.function_timeout_s(function_arn)
    if queue is None:
        text = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
        raise invalid(f"{text} SQS Error Message: The specified queue does not exist.")
    _check_visibility(queue, timeout_s)
    _check_unique(mappings, queue_arn, function_arn)
    now, tags = mappings.clock.now(), dict(params.get("Tags", {}))
    _check_tags(tags)
    scope = (caller.account, caller.region)
    mapping = EventSourceMapping(new_id(), *scope, queue_arn, function_arn, settings, now, tags=tags)
    mappings.add(mapping, enabled=params.get("Enabled", True))
    return mapping.document()


def _check_visibility(queue: QueueRecord, timeout_s: int) -> None:
    """Require the function to end before its messages are visible again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    visibility_timeout_s = queue.queue.settings.visibility_timeout_s
    if visibility_timeout_s < timeout_s:
        text = f"Queue visibility timeout: {visibility_timeout_s} seconds is less than Function timeout:"
        raise invalid(f"{text} {timeout_s} seconds")


def _check_unique(mappings: EventSourceMappings, queue_arn: str, function_arn: str, uuid: str = "") -> None:
    for other in mappings:
        if (other.queue_arn, other.function_arn) == (queue_arn, function_arn) and other.uuid != uuid:
            pair = f'SQS arn (" {queue_arn} ") and function (" {function_arn.split(":")[6]} ")'
            text = f"An event source mapping with {pair} already exists. Please update or delete the existing mapping"
            raise AwsError("ResourceConflictException", f"{text} with UUID {other.uuid}")


async def get(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """GetEventSourceMapping."""
    mapping = mappings.find(params["UUID"], caller)
    if mapping is None:
        return await mappings.upstream.request("GET", f"{PATH}/{params['UUID']}", caller)
    return mapping.document()


async def update(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """UpdateEventSourceMapping."""
    mapping = mappings.find(params["UUID"], caller)
    if mapping is None:
        given = {name: value for name, value in params.items() if name != "UUID"}
        await mappings.before_upstream(given, caller)
        return await mappings.upstream.request("PUT", f"{PATH}/{params['UUID']}", caller, given)
    _check_settled(mapping, "update")
    settings = settings_of(params, mapping.settings, fifo=mapping.queue_arn.endswith(".fifo"))
    function_arn = mapping.function_arn
    if "FunctionName" in params:
        function_arn = function_arn_of(params["FunctionName"], caller)
        timeout_s = await mappings.upstream.function_timeout_s(function_arn)
        queue = mappings.sqs.queues.by_arn(mapping.queue_arn)
        if queue is not None:
            _check_visibility(queue, timeout_s)
        _check_unique(mappings, mapping.queue_arn, function_arn, mapping.uuid)
        _check_settled(mapping, "update")  # another request may have started a change meanwhile
    enabled = params.get("Enabled", mapping.state == "Enabled")
    await mappings.change(mapping, settings, function_arn, enabled=enabled)
    return mapping.document()


async def delete(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """DeleteEventSourceMapping."""
    mapping = mappings.find(params["UUID"], caller)
    if mapping is None:
        return await mappings.upstream.request("DELETE", f"{PATH}/{params['UUID']}", caller)
    _check_settled(mapping, "delete")
    await mappings.remove(mapping)
    return mapping.document()


def _check_settled(mapping: EventSourceMapping, verb: str) -> None:
    if mapping.is_in_transition:
        text = f"Cannot {verb} the event source mapping because it is in use."
        raise AwsError("ResourceInUseException", text)


async def list_(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """ListEventSourceMappings: those of queues together with the upstream's."""
    queue_arn = params.get("EventSourceArn", "")
    function_arn = function_arn_of(params["FunctionName"], caller) if "FunctionName" in params else ""
    found = {
        mapping.uuid: mapping.document()
        for mapping in mappings
        if (mapping.account, mapping.region) == (caller.account, caller.region)
        and queue_arn in {"", mapping.queue_arn}
        and function_arn in {"", mapping.function_arn}
    }
    if not is_queue(queue_arn):
        found |= {one["UUID"]: one for one in await mappings.upstream.mappings(params, caller)}
    limit = min(params.get("MaxItems", MAX_PAGE), MAX_PAGE)
    try:
        page, marker = paginate(found, params.get("Marker"), key=str, limit=limit)
    except InvalidTokenError as exc:
        raise invalid("The marker is not one that this action has returned.") from exc
    return {"EventSourceMappings": [found[uuid] for uuid in page]} | ({"NextMarker": marker} if marker else {})


async def list_tags(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """ListTags of a mapping."""
    mapping = mappings.find_by_arn(params["Resource"], caller)
    if mapping is None:
        return await mappings.upstream.request("GET", f"{TAGS_PATH}/{params['Resource']}", caller)
    return {"Tags": dict(mapping.tags)}


async def tag_resource(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """TagResource of a mapping."""
    mapping = mappings.find_by_arn(params["Resource"], caller)
    if mapping is None:
        path, body = f"{TAGS_PATH}/{params['Resource']}", {"Tags": params["Tags"]}
        return await mappings.upstream.request("POST", path, caller, body)
    if not params["Tags"]:
        raise invalid("An error occurred and the request cannot be processed.")
    _check_tags(mapping.tags | params["Tags"])
    mapping.tags |= params["Tags"]
    mappings.save(mapping)
    return {}


def _check_tags(tags: dict[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")


async def untag_resource(mappings: EventSourceMappings, params: Params, caller: Caller) -> Params:
    """UntagResource of a mapping."""
    mapping = mappings.find_by_arn(params["Resource"], caller)
    if mapping is None:
        path, query = f"{TAGS_PATH}/{params['Resource']}", {"tagKeys": params["TagKeys"]}
        return await mappings.upstream.request("DELETE", path, caller, query=query)
    for key in params["TagKeys"]:
        mapping.tags.pop(key, None)
    mappings.save(mapping)
    return {}
