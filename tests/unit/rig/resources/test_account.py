"""Queues, topics and buses are found by any of their names, on a localbus alone."""

import json
from collections.abc import Iterator

import pytest
from localbus.pytest_plugin import Localbus
from orderboard.errors import UsageError
from orderboard.resources.account import Account

_STACK = {
    "Resources": {
        "WorkQueue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "shop-work"}},
        "WorkDlq": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "shop-work-dlq"}},
        "OrdersTopic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "shop-orders"}},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shop"}},
    }
}


def _with_a_stack(localbus: Localbus) -> Account:
    """An account with one stack, whose queues, topic and bus begin with shop."""
    client = localbus.client("cloudformation")
    client.create_stack(StackName="shop", TemplateBody=json.dumps(_STACK))
    client.get_waiter("stack_create_complete").wait(StackName="shop", WaiterConfig={"Delay": 0})
    return Account.connect(None, localbus.url, "shop")


@pytest.fixture(scope="module")
def shop() -> Iterator[Account]:
    """An account with a stack that no test changes."""
    localbus = Localbus().start()
    yield _with_a_stack(localbus)
    localbus.stop()


@pytest.fixture
def account(localbus: Localbus) -> Account:
    """An account with a stack for one test."""
    return _with_a_stack(localbus)


@pytest.mark.parametrize(
    "typed", ["work", "Work", "WorkQueue", "work-queue", "shop-work", "arn:aws:sqs:us-east-1:000000000000:shop-work"]
)
def test_a_queue_has_many_names(shop: Account, typed: str) -> None:
    """Its logical name in the stack, with or without its kind, its own name, and its ARN."""
    found = shop.queue(typed)

    assert (found.name, found.arn) == ("shop-work", "arn:aws:sqs:us-east-1:000000000000:shop-work")
    assert found.address == shop.connection.queue_url("shop-work")


def test_a_url_finds_its_queue_whatever_its_host(shop: Account) -> None:
    """A container knows the queue by another host name than this machine."""
    for host in ("http://localhost:4566", "http://sqs.us-east-1.localhost.localstack.cloud:4566"):
        assert shop.queue(f"{host}/000000000000/shop-work-dlq").name == shop.queue("work-dlq").name


@pytest.mark.parametrize(
    "typed", ["orders", "OrdersTopic", "shop-orders", "arn:aws:sns:us-east-1:000000000000:shop-orders"]
)
def test_a_topic_has_many_names(shop: Account, typed: str) -> None:
    """As a queue has, but for the URL."""
    assert shop.topic(typed).address == "arn:aws:sns:us-east-1:000000000000:shop-orders"


@pytest.mark.parametrize("typed", ["bus", "shop", "arn:aws:events:us-east-1:000000000000:event-bus/shop"])
def test_a_bus_has_many_names(shop: Account, typed: str) -> None:
    """As a topic has."""
    assert shop.bus(typed).name == "shop"


def test_the_default_bus_is_that_of_the_stack(account: Account, localbus: Localbus) -> None:
    """Without a stack it is the account's bus named default."""
    assert account.default_bus().name == "shop"
    assert Account.connect(None, localbus.url, None).default_bus().name == "default"


def test_an_arn_finds_what_is_in_another_region(account: Account, localbus: Localbus) -> None:
    """Its region counts, not that of the system."""
    localbus.client("sqs", region="eu-west-1").create_queue(QueueName="far")

    assert account.queue("arn:aws:sqs:eu-west-1:000000000000:far").connection.endpoint.region == "eu-west-1"


def test_a_name_of_two_queues_is_ambiguous(account: Account, localbus: Localbus) -> None:
    """A queue of somebody else may be named like a queue of the stack; both remain reachable."""
    url = localbus.client("sqs").create_queue(QueueName="work")["QueueUrl"]

    with pytest.raises(UsageError) as error:
        account.queue("work")

    assert str(error.value) == f"'work' is a queue and the stack's name of shop-work. Give shop-work, or {url}."
    assert account.queue(url).name == "work"
    assert account.queue("shop-work").name == "shop-work"


def test_an_unknown_name_lists_the_near_ones(shop: Account) -> None:
    """Logical names too; without a near one, those that exist."""
    for typed, expected in {
        "wrk": "Unknown queue 'wrk'. Did you mean work?",
        "shop-wrok": "Unknown queue 'shop-wrok'. Did you mean shop-work or shop-work-dlq?",
        "http://127.0.0.1:1/000000000000/shop-word": "Did you mean shop-work",
        "coffee": "Unknown queue 'coffee'. The account's queues are shop-work, shop-work-dlq.",
        "": "Unknown queue ''.",
    }.items():
        with pytest.raises(UsageError) as error:
            shop.queue(typed)
        assert expected in str(error.value), error.value
    with pytest.raises(UsageError, match=r"Unknown topic 'order'\. Did you mean orders"):
        shop.topic("order")
    with pytest.raises(UsageError, match=r"Unknown bus 'coffee'\. The account's buses are default, shop\."):
        shop.bus("coffee")


@pytest.mark.parametrize(
    "typed", ["arn:", "arn:aws:sqs", "://", "a b", "x" * 300, "arn:aws:sns:us-east-1:000000000000:x"]
)
def test_what_nothing_can_be_named_is_unknown(shop: Account, typed: str) -> None:
    """Broken ARNs and URLs, and names that AWS does not allow, are unknown and not a failure of the backend."""
    for find in (shop.queue, shop.topic, shop.bus):
        with pytest.raises(UsageError, match="Unknown"):
            find(typed)
