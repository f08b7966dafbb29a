"""Lambda event source mappings of queues."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import Aws, Queue, attribute
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.function import NAME, TIMEOUT_S
from fidelity.sources import Source, lambda_api, lambda_guide

GROUP = Group("Across services", "Event source mappings")
behaviour = GROUP.behaviour
_SQS = lambda_guide("with-sqs")
_ERRORS = lambda_guide("services-sqs-errorhandling")
_CREATE = lambda_api("CreateEventSourceMapping")
_INVALID = "InvalidParameterValueException"
_REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
_SOON_S = 40  # a function may have to be started first


def _map(aws: Aws, queue: Queue, **given: Any) -> dict[str, Any]:
    """Map a queue to the function."""
    aws.clients.function()
    request = {"FunctionName": NAME, "EventSourceArn": queue.arn} | given
    answer: dict[str, Any] = aws.client("lambda").create_event_source_mapping(**request)
    return answer


def _bodies(aws: Aws, queue: Queue) -> list[list[str]]:
    """Return the bodies of each batch that the function got from a queue."""
    events = aws.clients.function().events(queue.arn)
    return [[record["body"] for record in event["Records"]] for event in events]


def _called(aws: Aws, queue: Queue) -> None:
    eventually(lambda: _bodies(aws, queue), "does not call it", _SOON_S)


def _enabled(aws: Aws, mapping: dict[str, Any]) -> None:
    def enabled() -> bool:
        return bool(aws.client("lambda").get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Enabled")

    eventually(enabled, "does not become Enabled")


def _empty(queue: Queue) -> None:
    eventually(lambda: queue.counts() == (0, 0, 0), "leaves messages in the queue", _SOON_S)


@behaviour(_SQS)
def received_and_deleted(aws: Aws) -> None:
    """Messages reach the function, and are deleted once it succeeds."""
    queue = aws.queue()
    _map(aws, queue)
    queue.send("hello")
    _called(aws, queue)

    same("calls it with", _bodies(aws, queue), [["hello"]])
    _empty(queue)


@behaviour(_SQS)
def record(aws: Aws) -> None:
    """A record has the message's id, handle, body, attributes and digest, the queue's ARN and the region."""
    queue = aws.queue()
    _map(aws, queue)
    queue.send("b", MessageAttributes={"a": attribute("1")})

    event = eventually(lambda: aws.clients.function().events(queue.arn), "does not call it", _SOON_S)[0]

    found = event["Records"][0]
    found.pop("md5OfMessageAttributes", None)
    wanted = {"messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody"}
    wanted |= {"eventSource", "eventSourceARN", "awsRegion"}
    same("lacks", sorted(wanted - set(found)), [])
    same("adds", sorted(set(found) - wanted), [])
    shown = found["messageAttributes"]["a"]
    same("says", (found["eventSource"], shown["stringValue"], shown["dataType"]), ("aws:sqs", "1", "String"))


@behaviour(_ERRORS)
def failed_batch(aws: Aws) -> None:
    """A batch whose function fails is received again, and at last moved to the queue's dead-letter queue."""
    queue, dead = aws.pair(VisibilityTimeout=str(TIMEOUT_S))
    _map(aws, queue)
    queue.send("raise")

    same("keeps", dead.bodies(1, within_s=_SOON_S), ["raise"])


@behaviour(_ERRORS)
def reported_failures(aws: Aws) -> None:
    """With ReportBatchItemFailures only the reported messages are received again."""
    # the timeout is longer than a cold start of the function, or "good" would come back as well
    queue, dead = aws.pair(VisibilityTimeout=str(3 * TIMEOUT_S))
    for body in ("good", "fail"):
        queue.send(body)
    _map(aws, queue, **_REPORTING)

    same("keeps", dead.bodies(1, within_s=_SOON_S), ["fail"])
    _empty(queue)


@behaviour(_ERRORS)
def unreported_failures(aws: Aws) -> None:
    """Without ReportBatchItemFailures reported messages are deleted as well."""
    queue = aws.queue(VisibilityTimeout=str(TIMEOUT_S))
    _map(aws, queue)
    queue.send("fail")

    _called(aws, queue)
    _empty(queue)


@behaviour(lambda_guide("with-sqs-filtering"))
def filtered(aws: Aws) -> None:
    """Messages that the filter criteria do not match are deleted without an invocation."""
    queue = aws.queue()
    pattern = json.dumps({"body": {"kind": ["wanted"]}})
    _map(aws, queue, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    for kind in ("other", "wanted"):
        queue.send(json.dumps({"kind": kind}))
    _called(aws, queue)
    _empty(queue)

    same("calls it with", [body for batch in _bodies(aws, queue) for body in batch], ['{"kind": "wanted"}'])


@behaviour(_CREATE)
def defaults(aws: Aws) -> None:
    """A new mapping has a batch size of 10, no window, and becomes Enabled."""
    made = _map(aws, aws.queue())

    same("has", (made.get("BatchSize"), made.get("MaximumBatchingWindowInSeconds")), (10, 0))
    _enabled(aws, made)


@behaviour(lambda_api("CreateEventSourceMapping", recorded=True))
def disabled(aws: Aws) -> None:
    """A mapping created with Enabled false is Disabled immediately and receives nothing."""
    queue = aws.queue()
    same("is", _map(aws, queue, Enabled=False)["State"], "Disabled")
    queue.send()

    same("gives", queue.bodies(1, settle_s=1), ["b"])


@behaviour(lambda_api("UpdateEventSourceMapping", recorded=True))
def enabling(aws: Aws) -> None:
    """Enabling a mapping returns Enabling; then it is Enabled."""
    made = _map(aws, aws.queue(), Enabled=False)

    answer = aws.client("lambda").update_event_source_mapping(UUID=made["UUID"], Enabled=True)

    same("is", answer["State"], "Enabling")
    _enabled(aws, made)


def _refused(key: str, statement: str, code: str = _INVALID, source: Source = _CREATE, **given: Any) -> None:
    def check(aws: Aws) -> None:
        queue = aws.fifo() if given.get("fifo") else aws.queue()
        members = {name: value for name, value in given.items() if name != "fifo"}
        refused(code, _map, aws=aws, queue=queue, **members)

    GROUP.add(key, f"{statement} is rejected", source, check)


_refused("large_batch", "A batch size of more than 10 without a batching window", BatchSize=11)
_refused("large_fifo_batch", "A batch size of more than 10 of a FIFO queue", fifo=True, BatchSize=11)
_refused("one_at_a_time", "A maximum concurrency of 1", "ValidationException", ScalingConfig={"MaximumConcurrency": 1})
_refused("bad_filter", "A filter with an invalid pattern", FilterCriteria={"Filters": [{"Pattern": '{"body": "x"}'}]})


@behaviour(_CREATE)
def queue_that_is_not_there(aws: Aws) -> None:
    """A mapping of a queue that does not exist is rejected."""
    queue = aws.queue()
    refused(_INVALID, _map, aws=aws, queue=Queue(queue.sqs, f"{queue.name}-not", queue.url))


@behaviour(lambda_guide("services-sqs-configure"))
def short_timeout(aws: Aws) -> None:
    """A queue whose visibility timeout is shorter than the function's timeout is rejected."""
    refused(_INVALID, _map, aws=aws, queue=aws.queue(VisibilityTimeout="1"))


@behaviour(_CREATE)
def mapped_twice(aws: Aws) -> None:
    """A second mapping of a queue to the same function is a ResourceConflictException."""
    queue = aws.queue()
    _map(aws, queue)

    refused("ResourceConflictException", _map, aws=aws, queue=queue)


@behaviour(lambda_api("GetEventSourceMapping"))
def missing(aws: Aws) -> None:
    """A mapping that does not exist is ResourceNotFoundException (404)."""
    uuid = "0f0e0d0c-0b0a-0908-0706-050403020100"
    refused("ResourceNotFoundException", aws.client("lambda").get_event_source_mapping, status=404, UUID=uuid)


@behaviour(lambda_api("ListEventSourceMappings"))
def listed(aws: Aws) -> None:
    """Mappings are listed by their source."""
    queue = aws.queue()
    made = _map(aws, queue, Enabled=False)

    found = aws.client("lambda").list_event_source_mappings(EventSourceArn=queue.arn)["EventSourceMappings"]

    holds([one["UUID"] for one in found] == [made["UUID"]], f"lists {len(found)}")


@behaviour(lambda_guide("configuration-tags"))
def too_many_tags(aws: Aws) -> None:
    """A mapping has at most 50 tags."""
    tags = {str(number): "" for number in range(51)}
    refused(_INVALID, _map, aws=aws, queue=aws.queue(), says="exceeds resource tag limit", Enabled=False, Tags=tags)


@behaviour(lambda_guide("with-sqs-filtering", recorded=True))
def invalid_filter(aws: Aws) -> None:
    """A filter that is not an event pattern is rejected."""
    given = {"Enabled": False, "FilterCriteria": {"Filters": [{"Pattern": "simple string"}]}}
    refused(_INVALID, _map, aws=aws, queue=aws.queue(), says="Invalid filter pattern definition", **given)


@behaviour(
    lambda_guide("services-sqs-scaling"),
    differs="localbus has no provisioned pollers: it answers NotImplemented, as to keys, metrics and logging settings.",
)
def provisioned_pollers(aws: Aws) -> None:
    """A mapping can have provisioned pollers."""
    pollers = {"MinimumPollers": 2, "MaximumPollers": 10}
    mapping = _map(aws, aws.queue(), Enabled=False, ProvisionedPollerConfig=pollers)

    same("shows", mapping.get("ProvisionedPollerConfig"), pollers)
