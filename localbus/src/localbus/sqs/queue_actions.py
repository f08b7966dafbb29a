"""SQS actions on queues: create, find, list, change, permissions, tags, purge and delete."""

from __future__ import annotations

from localbus.errors import AwsError
from localbus.protocol.pagination import paginate
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.sqs import permissions, queue_attributes
from localbus.sqs.errors import invalid, invalid_value
from localbus.sqs.registry import QueueRecord
from localbus.sqs.state import Sqs

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
MAX_RESULTS = 1000
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html
MAX_TAGS = 50
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
PURGE_AGAIN_AFTER_S = 60


def create_queue(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """CreateQueue."""
    tags = params.get("tags", {})
    _check_tags(tags, {})
    record = sqs.queues.create(params["QueueName"], params.get("Attributes", {}), tags, caller)
    return {"QueueUrl": record.url(caller)}


def get_queue_url(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """GetQueueUrl."""
    account = params.get("QueueOwnerAWSAccountId", caller.account)
    return {"QueueUrl": sqs.queues.by_name(params["QueueName"], account, caller.region).url(caller)}


def list_queues(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ListQueues."""
    prefix = params.get("QueueNamePrefix", "")
    found = [
        record
        for record in sqs.queues
        if (record.account, record.region) == (caller.account, caller.region) and record.queue.name.startswith(prefix)
    ]
    return _page("QueueUrls", found, params, caller)


def list_dead_letter_source_queues(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ListDeadLetterSourceQueues."""
    record = sqs.find(params["QueueUrl"], caller, "ListDeadLetterSourceQueues")
    return {"queueUrls": []} | _page("queueUrls", sqs.queues.sources_of(record), params, caller)


def _page(member: str, found: list[QueueRecord], params: Params, caller: Caller) -> Params:
    """Return one page of queue URLs by name. Without MaxResults AWS returns 1,000 and no token."""
    most = params.get("MaxResults")
    if most is not None and not 1 <= most <= MAX_RESULTS:
        reason = f"MaxResults must be an integer between 1 and {MAX_RESULTS}."
        raise invalid_value("MaxResults", str(most), reason)
    page, token = paginate(found, params.get("NextToken"), key=lambda one: one.queue.name, limit=most or MAX_RESULTS)
    urls: Params = {member: [record.url(caller) for record in page]} if page else {}
    return urls | ({"NextToken": token} if token and most is not None else {})


def get_queue_attributes(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """GetQueueAttributes."""
    record = sqs.find(params["QueueUrl"], caller, "GetQueueAttributes")
    names = params.get("AttributeNames", [])
    if not names:
        return {}

    shown = queue_attributes.show(names, record.attributes, lambda: _counted(record))
    return {"Attributes": shown} if shown else {}


def describe(record: QueueRecord) -> dict[str, str]:
    """Return all attributes of a queue."""
    return queue_attributes.show(["All"], record.attributes, lambda: _counted(record))


def _counted(record: QueueRecord) -> dict[str, str]:
    counts = record.queue.counts()
    return {
        "QueueArn": record.queue.arn,
        "ApproximateNumberOfMessages": str(counts.visible),
        "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
        "CreatedTimestamp": str(int(record.created_at)),
        "LastModifiedTimestamp": str(int(record.modified_at)),
    }


def set_queue_attributes(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """SetQueueAttributes."""
    record = sqs.find_own(params["QueueUrl"], caller, "SetQueueAttributes")
    sqs.queues.change(record, params["Attributes"])
    return {}


def delete_queue(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """DeleteQueue."""
    sqs.queues.delete(sqs.find_own(params["QueueUrl"], caller, "DeleteQueue"))
    return {}


def purge_queue(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """PurgeQueue."""
    record = sqs.find(params["QueueUrl"], caller, "PurgeQueue")
    now = sqs.clock.now()
    if now < record.purged_at + PURGE_AGAIN_AFTER_S:
        text = f"Only one PurgeQueue operation on {record.queue.name} is allowed every {PURGE_AGAIN_AFTER_S} seconds."
        raise AwsError("PurgeQueueInProgress", text)
    record.purged_at = now
    record.queue.purge()
    sqs.queues.save(record)
    return {}


def add_permission(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """AddPermission."""
    record = sqs.find_own(params["QueueUrl"], caller, "AddPermission")
    accounts, actions = params["AWSAccountIds"], params["Actions"]
    record.attributes["Policy"] = permissions.add_permission(
        record.policy, record.queue.arn, params["Label"], accounts, actions
    )
    sqs.queues.save(record)
    return {}


def remove_permission(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """RemovePermission."""
    record = sqs.find_own(params["QueueUrl"], caller, "RemovePermission")
    policy = permissions.remove_permission(record.policy, params["Label"])
    record.attributes = queue_attributes.merge(record.attributes, {"Policy": policy})
    sqs.queues.save(record)
    return {}


def list_queue_tags(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """ListQueueTags."""
    tags = sqs.find_own(params["QueueUrl"], caller, "ListQueueTags").tags
    return {"Tags": dict(tags)} if tags else {}


def tag_queue(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """TagQueue."""
    record = sqs.find_own(params["QueueUrl"], caller, "TagQueue")
    _check_tags(params["Tags"], record.tags)
    record.tags |= params["Tags"]
    sqs.queues.save(record)
    return {}


def untag_queue(sqs: Sqs, params: Params, caller: Caller) -> Params:
    """UntagQueue."""
    record = sqs.find_own(params["QueueUrl"], caller, "UntagQueue")
    for key in params["TagKeys"]:
        record.tags.pop(key, None)
    sqs.queues.save(record)
    return {}


def _check_tags(tags: dict[str, str], current: dict[str, str]) -> None:
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or len(value) > 256:
            text = "Tag keys have 1 to 128 characters and do not start with aws:, tag values at most 256."
            raise invalid(text)
    if len(current | tags) > MAX_TAGS:
        raise invalid(f"A queue has at most {MAX_TAGS} tags.")
