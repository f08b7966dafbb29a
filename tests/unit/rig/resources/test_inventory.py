"""The inventory: one request to localbus shows what other backends show call by call; rows, problems, losses."""

import json
from typing import Any

import pytest
from localbus.protocol.service import Caller
from orderboard.resources.losses import losses_of
from orderboard.resources.problems import Problem, problems_of
from orderboard.resources.reader import read_by_api
from orderboard.resources.rows import Row, rows_of
from unit.rig.resources.account import ARN, Account

SNS, EVENTS = "sns.amazonaws.com", "events.amazonaws.com"


def _rows(account: Account) -> dict[str, Row]:
    inventory = account.inventory()
    return {f"{row.kind} {row.name}": row for row in rows_of(inventory, problems_of(inventory, account.clients))}


def _problems(account: Account, name: str) -> list[str]:
    return [each.text for each in _rows(account)[name].problems]


def _links(row: Row) -> list[tuple[str, str]]:
    return [(each.role, each.label) for each in row.links]


@pytest.fixture
def shop(account: Account) -> Account:
    """A queue with a dead-letter queue, fed by a topic with a filter policy and by a rule; an archive; a table."""
    dead = account.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    work = account.queue("work", open_to=SNS, RedrivePolicy=redrive)
    account.topic("orders", work, FilterPolicy='{"priority": ["express"]}')
    account.rule("all", {"source": ["shop"]}, work)
    bus = ARN.format(service="events", name="event-bus/default")
    account.events.create_archive(ArchiveName="kept", EventSourceArn=bus, RetentionDays=7)
    account.server.client("dynamodb").create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return account


def test_rows_have_numbers_and_links(shop: Account) -> None:
    """Depths and ages; a dead-letter queue and what it is the dead-letter queue of; who delivers to whom."""
    shop.sqs.send_message(QueueUrl=shop.url("work"), MessageBody="m")
    shop.sqs.send_message(QueueUrl=shop.url("work"), MessageBody="m", DelaySeconds=100)
    shop.server.advance(60)
    shop.receive("work")

    rows = _rows(shop)

    assert rows["queue work"].counts == {"visible": 0, "in_flight": 1, "delayed": 1, "oldest_s": 60}
    assert rows["queue dead"].counts == {"visible": 0, "in_flight": 0, "delayed": 0}
    assert _links(rows["queue work"]) == [
        ("Dead-letter queue after 3 receives", "queue dead"),
        ("Gets messages from", "subscription orders to work"),
        ("Gets messages from", "rule all on default"),
    ]
    assert _links(rows["queue dead"]) == [("Dead-letter queue of", "queue work")]
    delivers = 'subscription orders to work: {"priority": ["express"]}'
    assert _links(rows["topic orders"]) == [("Delivers to", delivers)]
    assert ("Archive", "kept: 0 events, kept 7 days") in _links(rows["bus default"])
    assert rows["subscription orders to work"].documents == {"FilterPolicy": '{"priority": ["express"]}'}
    assert rows["rule all on default"].documents == {"EventPattern": '{"source": ["shop"]}'}
    assert (rows["table rows"].about, rows["table rows"].counts) == ("key id", {"items": 0})
    assert rows["queue work"].who == "Account 000000000000 itself; sns.amazonaws.com."
    assert not any("Events-Archive" in name for name in rows)  # the managed rule of the archive


def test_a_policy_that_stops_deliveries_shows_before_the_first_one(shop: Account) -> None:
    """At both ends of the way: the rule and the queue; the command allows it, and then the problem is gone."""
    sender = "rule all on default (events.amazonaws.com)"
    text = f"The policy of queue work does not allow {sender}: AWS stops these deliveries."
    assert _problems(shop, "queue work") == _problems(shop, "rule all on default") == [text]
    [problem] = _rows(shop)["queue work"].problems

    attributes = json.loads(problem.command.partition("--attributes ")[2].strip("'"))
    shop.sqs.set_queue_attributes(QueueUrl=shop.url("work"), Attributes=attributes)

    assert _problems(shop, "queue work") == _problems(shop, "rule all on default") == []
    assert _rows(shop)["queue work"].who.startswith("Account 000000000000 itself; sns.amazonaws.com, events")  # type: ignore[union-attr]


def test_other_problems_of_a_configuration(shop: Account) -> None:
    """A target that is gone, a topic without subscriptions, a rule without a target, a disabled rule."""
    shop.topic("lonely")
    shop.rule("nowhere", {"source": ["x"]}, State="DISABLED")
    shop.sqs.delete_queue(QueueUrl=shop.url("dead"))

    assert _problems(shop, "topic lonely") == ["Nobody is subscribed: messages are accepted, and nobody gets them."]
    assert _problems(shop, "rule nowhere on default") == [
        "Disabled: it matches nothing.",
        "No target: the events that it matches go nowhere.",
    ]
    [gone, _policy] = _problems(shop, "queue work")
    assert gone == "Its dead-letter queue, queue dead, does not exist: what cannot be delivered is lost."


def test_the_same_account_by_the_apis_of_aws(shop: Account) -> None:
    """Read call by call, as on other backends, it has the same rows but for ages, which no API of SQS has."""
    shop.sqs.send_message(QueueUrl=shop.url("work"), MessageBody="m")
    by_api = read_by_api(shop.clients.connection)

    rows = rows_of(by_api, problems_of(by_api, shop.clients))

    assert by_api.unread == {}
    assert json.dumps([row.document() for row in rows])  # an SDK makes datetimes of times
    here = _rows(shop)
    assert {f"{row.kind} {row.name}" for row in rows} == set(here)
    for row in rows:
        other = here[f"{row.kind} {row.name}"]
        assert (row.arn, row.links, row.who, row.documents) == (other.arn, other.links, other.who, other.documents)
    [work] = [row for row in rows if row.name == "work"]
    assert work.counts == {"visible": 1, "in_flight": 0, "delayed": 0, "oldest_s": None}


def test_losses_lead_to_the_resource_behind_them(shop: Account) -> None:
    """Each loss that localbus counted has names, the rule behind it, and the command that allows it."""
    for _ in range(3):
        shop.put("shop")

    [loss] = losses_of(shop.engine.losses(), shop.inventory(), shop.clients)

    assert (loss.count, loss.verb, loss.source_name, loss.target_name) == (
        3,
        "lost",
        "rule all on default",
        "queue work",
    )
    assert loss.via == loss.source
    assert "does not allow events.amazonaws.com" in loss.reason
    assert "set-queue-attributes" in loss.command


def test_resources_of_other_accounts_and_regions(account: Account) -> None:
    """They are read too, and their command lines have their own account and region."""
    other: Any = account.server.client("sqs", account="111111111111", region="eu-west-1")
    other.create_queue(QueueName="elsewhere")
    arn = "arn:aws:sqs:eu-west-1:111111111111:elsewhere"

    assert account.inventory().kind(arn) == "queue"
    line = account.clients.command(arn, "sqs", "list-queues")
    assert line.startswith("AWS_ACCESS_KEY_ID=111111111111 ")
    assert "--region eu-west-1" in line
    url = account.clients.queue_url(arn)
    account.clients.at(arn).sqs.send_message(QueueUrl=url, MessageBody="m")
    assert account.inventory().by_arn[arn][1]["ApproximateNumberOfMessages"] == "1"


def test_two_hundred_queues_are_one_request(account: Account) -> None:
    """However many there are, each request to localbus has them all, with their problems."""
    for number in range(200):
        account.server.engine.sqs.queues.create(f"q-{number:03}", {}, {}, Caller())

    rows = _rows(account)

    assert sum(row.kind == "queue" for row in rows.values()) == 200
    assert not [each for row in rows.values() for each in row.problems if isinstance(each, Problem)]
