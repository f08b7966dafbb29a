"""The page of resources on a localbus alone: its routes, its redirect, actions with their commands, and safety."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus
from orderboard.console.routes import create_app
from orderboard.console.source import Source
from orderboard.system.workspace import Workspace

HERE = "http://127.0.0.1:8080"
ARN = "arn:aws:{}:us-east-1:000000000000:{}"


@pytest.fixture
async def http(localbus: Localbus, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The console of this localbus, which has no stack."""
    source = Source(Workspace(tmp_path, tmp_path), endpoint_url=localbus.url)
    transport = httpx.ASGITransport(app=create_app(source))
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers={"Origin": HERE}) as client:
        yield client
    if (engine := source.localbus()) is not None:
        engine.close()


@pytest.fixture
def queue(localbus: Localbus) -> str:
    """The ARN of an empty queue."""
    localbus.client("sqs").create_queue(QueueName="work")
    return ARN.format("sqs", "work")


async def _get(http: httpx.AsyncClient, path: str, **query: str) -> dict[str, Any]:
    answer = await http.get(f"/api/resources{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _do(http: httpx.AsyncClient, action: str, **body: object) -> dict[str, Any]:
    answer = await http.post(f"/api/resources/do/{action}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_without_a_stack_it_is_the_only_page(http: httpx.AsyncClient) -> None:
    """The address of the board leads here, and the page says why the board is not there."""
    answer = await http.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/resources")
    assert "Resources" in (await http.get("/resources")).text
    assert "orderboard" in (await _get(http, "/about"))["why_no_board"]


async def test_a_message_is_sent_peeked_and_followed(http: httpx.AsyncClient, queue: str) -> None:
    """Without `run` an action answers with its commands and changes nothing; peeking receives nothing."""
    given = {"arn": queue, "body": "x" * 5_000, "attributes": ["priority=express", "total:Number=4"], "delay_s": 0}
    preview = await _do(http, "send", **given)
    assert (await _get(http, "/messages", arn=queue))["messages"] == []

    sent = await _do(http, "send", **given, run=True)

    assert preview["message_id"] is None
    aws, orderboard = sent["commands"]
    assert preview["commands"] == sent["commands"]
    assert "sqs send-message --queue-url" in aws
    assert "--delay-seconds 0" in aws
    assert '"total": {"DataType": "Number", "StringValue": "4"}' in aws
    assert f"orderboard send {queue}" in orderboard
    assert "--attribute priority=express" in orderboard
    [message] = (await _get(http, "/messages", arn=queue))["messages"]
    assert (len(message["body"]), message["characters"], message["receive_count"]) == (4_000, 5_000, 0)
    [whole] = (await _get(http, "/messages", arn=queue, message_id=sent["message_id"]))["messages"]
    assert whole["body"] == given["body"]
    [entry] = (await _get(http, "/journal", arn=queue))["entries"]
    assert (entry["title"], entry["message_id"]) == ("Arrived in work", sent["message_id"])
    found = await _get(http, "/arrival", message_id=sent["message_id"])
    assert found["summary"] == "It waits in work: nobody receives it."


async def test_a_delivery_that_a_policy_stops_is_counted(
    http: httpx.AsyncClient, localbus: Localbus, queue: str
) -> None:
    """The list names it with reason and fix; the queue's journal, the topic's deliveries and the id show it too."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]

    published = await _do(http, "publish", arn=topic, body="m", subject="s", run=True)

    [loss] = (await _get(http, "", fresh="1"))["losses"]
    assert (loss["count"], loss["via"], loss["target"]) == (1, subscription, queue)
    assert "does not allow sns.amazonaws.com" in loss["reason"]
    assert "set-queue-attributes" in loss["command"]
    events = [each["event"] for each in (await _get(http, "/journal", arn=queue))["entries"]]
    assert events == ["dropped", "undelivered", "denied"]
    [row] = (await _get(http, "/deliveries", arn=topic))["rows"]
    assert (row["arn"], row["counts"]) == (subscription, {"undelivered": 1, "dropped": 1})
    assert "does not allow" in (await _get(http, "/arrival", message_id=published["message_id"]))["summary"]


async def test_an_event_is_put_and_tested(http: httpx.AsyncClient, localbus: Localbus) -> None:
    """`Why did it not match?` names the field, with the command of the test."""
    rule = localbus.client("events").put_rule(Name="large", EventPattern='{"source": ["shop"]}')["RuleArn"]
    bus = ARN.format("events", "event-bus/default")

    put = await _do(http, "put-event", arn=bus, source="till", detail_type="sold", detail="{}", run=True)
    text = '{"source": "till", "detail-type": "sold", "detail": {}}'
    answer = (await http.post("/api/resources/matches", json={"arn": rule, "text": text})).json()

    assert "events put-events --entries" in put["commands"][0]
    assert answer["answers"][0]["why"] == 'source is "till"; wanted: "shop"'
    assert "/_localbus/explain" in answer["commands"][0]
    assert "did not match it" in (await _get(http, "/arrival", message_id=put["message_id"]))["summary"]


_EVENT: dict[str, object] = {"arn": ARN.format("events", "event-bus/default"), "source": "s", "detail_type": "d"}
_WRONG: list[tuple[str, dict[str, object], str]] = [
    ("send", {"arn": "arn:aws:sqs:us-east-1:000000000000:gone", "body": "m"}, "Unknown queue arn:"),
    ("send", {"arn": ARN.format("sqs", "work"), "body": "m", "delay_s": 901}, "delay_s"),
    ("send", {"arn": ARN.format("sqs", "work"), "body": "m", "attributes": ["priority"]}, "NAME=VALUE"),
    ("put-event", {**_EVENT, "detail": "["}, "JSON object"),
    ("delete", {}, "Unknown action delete"),
]


@pytest.mark.parametrize("wrong", _WRONG, ids=lambda each: each[2])
async def test_what_cannot_be_sent_is_explained(
    http: httpx.AsyncClient, localbus: Localbus, queue: str, wrong: tuple[str, dict[str, object], str]
) -> None:
    """The answer says what is wrong, and nothing is sent."""
    action, body, problem = wrong
    localbus.client("events").list_event_buses()  # makes the default bus

    answer = await http.post(f"/api/resources/do/{action}", json={**body, "run": True})

    assert answer.status_code == 422
    assert problem in answer.json()["message"]
    assert (await _get(http, "/messages", arn=queue))["messages"] == []


async def test_other_pages_cannot_act(http: httpx.AsyncClient, queue: str) -> None:
    """An action of another origin is refused."""
    body = {"arn": queue, "body": "m", "run": True}
    answer = await http.post("/api/resources/do/send", json=body, headers={"Origin": "https://example.com"})

    assert answer.status_code == 403
    assert (await _get(http, "/messages", arn=queue))["messages"] == []
