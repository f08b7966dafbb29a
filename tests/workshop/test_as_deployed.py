"""Opening an exercise puts a system back as deployed, whatever was done to it."""

import json

from orderboard.system.localbus import DELIVERY_FAULTS, FAULTS
from orderboard.system.workers import condition
from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import everything
from orderboard.workshop.workshop import Workshop
from support.waiting import poll_until

_STACK = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orderboard-workshop-of-a-stack"}},
    }
}


def _break(board: Board) -> None:
    target, outputs = board.target, board.target.outputs
    sqs, url = target.sqs, target.queue_url(outputs.work_queue)
    board.engine.change("PUT", DELIVERY_FAULTS, {"duplicates": 0.5})
    board.engine.change("PUT", FAULTS, {"rules": [{"kind": "throttle", "action": "ListTopics", "probability": 0.1}]})
    sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={
            "VisibilityTimeout": "2",
            "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": board.attributes(outputs.work_dlq)["QueueArn"], "maxReceiveCount": 1}
            ),
        },
    )
    target.functions.update_event_source_mapping(UUID=outputs.notifier_mapping_id, Enabled=False)
    sqs.send_message(QueueUrl=target.queue_url(outputs.work_dlq), MessageBody="a dead letter")
    board.workers.act("worker-1", "freeze")


def _make(board: Board) -> None:
    """Make one resource of each kind that attendees make."""
    target, bus = board.target, board.target.outputs.bus_name
    target.sqs.create_queue(QueueName="orderboard-workshop-loyalty")
    topic = target.sns.create_topic(Name="orderboard-workshop-topic")["TopicArn"]
    arn = board.attributes("orderboard-workshop-loyalty")["QueueArn"]
    for each in (topic, target.outputs.orders_topic_arn):
        target.sns.subscribe(TopicArn=each, Protocol="sqs", Endpoint=arn)
    target.events.put_rule(Name="orderboard-workshop-rule", EventBusName=bus, EventPattern='{"source": ["x"]}')
    target.events.put_targets(Rule="orderboard-workshop-rule", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    target.dynamodb.create_table(
        TableName="orderboard-workshop-table",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    target.cloudformation.create_stack(StackName="orderboard-workshop-stack", TemplateBody=json.dumps(_STACK))


def test_everything_is_put_back_and_what_was_made_is_removed(workshop: Workshop) -> None:
    """Faults, settings, workers, mapping and queues are as deployed; own resources of each kind are gone."""
    entry = everything()[0]
    workshop.open(entry)
    with workshop.board(entry) as board:
        before = _settings(board)
        _make(board)
        _break(board)
        # A frozen process and a mapping that is being disabled show it a moment later.
        poll_until(lambda: all(_settings(board)[name] != each for name, each in before.items()))

        workshop.open(entry)

        assert _settings(board) == before
        assert not _own_names(board)
        assert board.depth(board.target.outputs.work_dlq).total == 0


def test_what_others_made_stays(workshop: Workshop) -> None:
    """Only names that start with orderboard-workshop are an exercise's."""
    entry = everything()[0]
    workshop.open(entry)
    with workshop.board(entry) as board:
        url = board.target.sqs.create_queue(QueueName="orderboard-mine")["QueueUrl"]
        try:
            workshop.open(entry)

            assert board.depth("orderboard-mine").total == 0
        finally:
            board.target.sqs.delete_queue(QueueUrl=url)


def _settings(board: Board) -> dict[str, object]:
    target, outputs = board.target, board.target.outputs
    attributes = board.attributes(outputs.work_queue)
    mapping = target.functions.get_event_source_mapping(UUID=outputs.notifier_mapping_id)["State"]
    return {
        "timeout": attributes["VisibilityTimeout"],
        "redrive": json.loads(attributes["RedrivePolicy"]),
        "mapping": mapping.replace("Enabling", "Enabled"),
        "delivery": board.engine.get(DELIVERY_FAULTS),
        "faults": (board.engine.get(FAULTS) or {})["rules"],
        "workers": [condition(each) for each in board.workers.all()],
    }


def _own_names(board: Board) -> list[str]:
    target = board.target
    resources = board.engine.resources() or {}
    stacks = target.cloudformation.describe_stacks()["Stacks"]
    return [
        text
        for text in (
            *(json.dumps(each, default=str) for kind in resources.values() if isinstance(kind, list) for each in kind),
            *(each["StackName"] for each in stacks),
        )
        if "orderboard-workshop" in text
    ]
