"""Puts the system back as it was deployed, for the start of an exercise."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from orderboard_contracts.events import CancellationRequested, OrderPlaced

from orderboard.errors import RigError
from orderboard.orders.queues import BATCH
from orderboard.system.localbus import DELIVERY_FAULTS, FAULTS
from orderboard.system.workers import condition
from orderboard.workshop.board import Board
from orderboard.workshop.notifier_code import deploy_notifier

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType

_COMMANDS: Final = [OrderPlaced.model_fields["type"].default, CancellationRequested.model_fields["type"].default]
_DRAINS_WITHIN_S: Final = 20.0
_REMOVED_WITHIN_S: Final = 20.0


def put_back(board: Board, worker_environment: Mapping[str, str]) -> None:
    """Undo all knobs, remove what exercises and attendees made, let the orders under way end, and empty the queues.

    worker_environment: what the exercise gives to the workers, beside what they had after `up`.
    """
    board.engine.change("PUT", DELIVERY_FAULTS, {})
    board.engine.change("PUT", FAULTS, {"rules": []})
    _remove_own(board)
    _queue_settings(board)
    _subscriptions(board)
    _workers(board, worker_environment)
    _notifier(board)
    _empty(board)
    _alarms(board)  # last: an alarm that goes off again by what is being removed would not go off by what comes next


def _queue_settings(board: Board) -> None:
    outputs = board.target.outputs
    wanted: dict[QueueAttributeNameType, str] = {
        "VisibilityTimeout": outputs.work_visibility_timeout_s,
        "ReceiveMessageWaitTimeSeconds": "20",
    }
    for name, dlq in ((outputs.work_queue, outputs.work_dlq), (outputs.express_queue, outputs.express_dlq)):
        found = board.attributes(name)
        policy = json.loads(found.get("RedrivePolicy", "{}"))
        arn = board.attributes(dlq)["QueueArn"]
        redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": int(outputs.work_max_receive_count)}
        changes: dict[QueueAttributeNameType, str] = {
            key: value for key, value in wanted.items() if found.get(key) != value
        }
        if {**policy, "maxReceiveCount": int(policy.get("maxReceiveCount", 0))} != redrive:
            changes["RedrivePolicy"] = json.dumps(redrive)
        if changes:
            board.target.sqs.set_queue_attributes(QueueUrl=board.target.queue_url(name), Attributes=changes)


def _subscriptions(board: Board) -> None:
    """Give the two queues of orders the subscriptions and filter policies that the template gives them."""
    outputs, sns = board.target.outputs, board.target.sns
    undelivered = board.attributes(outputs.undelivered_queue)["QueueArn"]
    found = {endpoint: arn for arn, endpoint in board.target.subscription_endpoints().items()}
    for name, priority in ((outputs.work_queue, "normal"), (outputs.express_queue, "express")):
        arn = board.attributes(name)["QueueArn"]
        wanted = {
            "RawMessageDelivery": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": undelivered}),
            "FilterPolicyScope": "MessageAttributes",
            "FilterPolicy": json.dumps({"event_type": _COMMANDS, "priority": [priority]}),
        }
        if (subscription := found.get(arn)) is None:
            sns.subscribe(TopicArn=outputs.orders_topic_arn, Protocol="sqs", Endpoint=arn, Attributes=wanted)
            continue
        attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        if attributes.get("FilterPolicyScope") == "MessageBody":  # its policy may not be one of attributes
            _set(board, subscription, "FilterPolicy", "{}")
        for key, value in wanted.items():
            if not _same(attributes.get(key, ""), value):
                _set(board, subscription, key, value)


def _set(board: Board, subscription: str, name: str, value: str) -> None:
    board.target.sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)


def _same(found: str, wanted: str) -> bool:
    return found == wanted or (wanted.startswith("{") and json.loads(found or "{}") == json.loads(wanted))


def _alarms(board: Board) -> None:
    """Delete own alarms; the others begin again, so that one that went off goes off again by what happens next."""
    cloudwatch = board.target.cloudwatch
    own = cloudwatch.describe_alarms(AlarmNamePrefix=board.own)["MetricAlarms"]
    if own:
        cloudwatch.delete_alarms(AlarmNames=[each["AlarmName"] for each in own])
    for each in cloudwatch.describe_alarms(AlarmNamePrefix=f"{board.state.prefix}-")["MetricAlarms"]:
        if each["StateValue"] != "INSUFFICIENT_DATA":
            cloudwatch.set_alarm_state(
                AlarmName=each["AlarmName"], StateValue="INSUFFICIENT_DATA", StateReason="A new exercise begins."
            )


def _workers(board: Board, environment: Mapping[str, str]) -> None:
    workers = board.workers
    for each in workers.all():
        if condition(each) == "frozen":
            workers.act(each.name, "thaw")
    workers.keep_first()
    workers.reset_environment(environment)


def _notifier(board: Board) -> None:
    """Put its code back; what other code has left in its queue, also in flight, is deleted. Receive again."""
    functions, mapping = board.target.functions, board.target.outputs.notifier_mapping_id
    if deploy_notifier(board.target):
        with suppress(board.target.sqs.exceptions.PurgeQueueInProgress):
            board.target.sqs.purge_queue(QueueUrl=board.target.queue_url(board.target.outputs.alerts_queue))
    if functions.get_event_source_mapping(UUID=mapping)["State"] not in ("Enabled", "Enabling"):
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def _empty(board: Board) -> None:
    """Let a worker make what waits, then delete what is left: dead letters, and orders that cannot be made."""
    outputs = board.target.outputs
    working = (outputs.work_queue, outputs.express_queue, outputs.alerts_queue)
    board.eventually(
        lambda: not any(board.depth(name).total for name in working),
        within_s=_DRAINS_WITHIN_S,
        waiting_for="the orders under way to end",
    )
    for name in outputs.queues:
        if name != outputs.inbox_queue and board.depth(name).visible:
            _delete_visible(board, name)


def _delete_visible(board: Board, name: str) -> None:
    sqs, url = board.target.sqs, board.target.queue_url(name)
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0).get("Messages", []):
        entries = [{"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]} for number, each in enumerate(batch)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]


def _remove_own(board: Board) -> None:
    """Delete the stacks, rules, archives, subscriptions, topics, queues and tables whose names start with board.own."""
    for stack in _own_stacks(board):
        board.say(f"Removing the stack {stack}.")
        board.target.cloudformation.delete_stack(StackName=stack)
    if not board.eventually(
        lambda: not list(_own_stacks(board)), within_s=_REMOVED_WITHIN_S, waiting_for="a stack to be removed"
    ):
        raise RigError(f"A stack whose name starts with {board.own} cannot be removed. Look: orderboard status")
    _remove_rules(board)
    _remove_queues(board)


def _own_stacks(board: Board) -> Iterator[str]:
    pages = board.target.cloudformation.get_paginator("describe_stacks").paginate()
    for page in pages:
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(board.own) and stack["StackStatus"] != "DELETE_COMPLETE":
                yield stack["StackName"]


def _remove_rules(board: Board) -> None:
    events, bus = board.target.events, board.target.outputs.bus_name
    for rule in events.list_rules(EventBusName=bus, NamePrefix=board.own)["Rules"]:
        ids = [each["Id"] for each in events.list_targets_by_rule(EventBusName=bus, Rule=rule["Name"])["Targets"]]
        if ids:
            events.remove_targets(EventBusName=bus, Rule=rule["Name"], Ids=ids)
        events.delete_rule(EventBusName=bus, Name=rule["Name"])
    for replay in board.running_replays():
        with suppress(events.exceptions.ClientError):  # it has ended
            events.cancel_replay(ReplayName=replay)


def _remove_queues(board: Board) -> None:
    sqs, sns, tables = board.target.sqs, board.target.sns, board.target.dynamodb
    for arn, endpoint in board.target.subscription_endpoints().items():
        if endpoint.rpartition(":")[2].startswith(board.own):
            sns.unsubscribe(SubscriptionArn=arn)
    for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=board.own):
        for url in page.get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)
    for topics in sns.get_paginator("list_topics").paginate():
        for topic in topics["Topics"]:
            if topic["TopicArn"].rpartition(":")[2].startswith(board.own):
                sns.delete_topic(TopicArn=topic["TopicArn"])
    for page_of_tables in tables.get_paginator("list_tables").paginate():
        for name in page_of_tables["TableNames"]:
            if name.startswith(board.own):
                tables.delete_table(TableName=name)
