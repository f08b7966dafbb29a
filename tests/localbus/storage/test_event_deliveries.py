"""Deliveries of EventBridge after a kill: retries, waiting calls, and the tokens of their connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from support.events import Bench, Elsewhere
from support.killed_events import Kill

OAUTH = {"ClientParameters": {"ClientID": "i", "ClientSecret": "s"}, "HttpMethod": "POST"}


def destination(bench: Bench, url: str, **given: Any) -> str:
    """Create an API destination at this URL, with OAuth, as the target of every event, and return its ARN."""
    oauth = {"OAuthParameters": {**OAUTH, "AuthorizationEndpoint": f"{url}/token"}}
    kind = "OAUTH_CLIENT_CREDENTIALS"
    connection = bench.call("CreateConnection", Name="c", AuthorizationType=kind, AuthParameters=oauth)["ConnectionArn"]
    given = {"InvocationEndpoint": f"{url}/in", "HttpMethod": "POST", **given}
    arn = bench.call("CreateApiDestination", Name="d", ConnectionArn=connection, **given)["ApiDestinationArn"]
    bench.rule({"Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/r"})
    return str(arn)


async def noted(bench: Bench, event: str, times: int = 1) -> None:
    """Wait until the journal has an entry so many times."""
    async with asyncio.timeout(5):
        while len(list(bench.journal.entries(event=event))) < times:  # noqa: ASYNC110 (the journal is the condition)
            await asyncio.sleep(0)


def authorized(url_path: str = "/token", status: int = 200) -> Callable[[Any], tuple[int, Any]]:
    """Return an endpoint that gives tokens, and otherwise answers with a status."""
    return lambda request: (200, {"access_token": "t"}) if request.path == url_path else (status, {})


async def test_a_token_is_used_after_a_restart(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """And fetched again once the endpoint rejects it."""
    elsewhere.answer = authorized()
    destination(bench, elsewhere.url)
    bench.put()
    await noted(bench, "delivered")

    again = await kill(bench)
    again.put()
    await noted(again, "delivered")
    elsewhere.answer = authorized(status=401)
    again.put()
    await noted(again, "retry_scheduled")
    third = await kill(again)
    elsewhere.answer = authorized()
    third.clock.advance(1)
    await noted(third, "delivered")

    assert [path for _, path in elsewhere.paths()] == ["/token", "/in", "/in", "/in", "/token", "/in"]
    assert third.call("DescribeConnection", Name="c")["ConnectionState"] == "AUTHORIZED"


async def test_an_authorization_under_way_goes_on(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """A connection does not stay AUTHORIZING."""
    elsewhere.answer = authorized()
    destination(bench, elsewhere.url)

    again = await kill(bench)
    async with asyncio.timeout(5):
        while again.call("DescribeConnection", Name="c")["ConnectionState"] != "AUTHORIZED":  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_delivery_that_had_not_begun_is_made(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """The rate limit lets one call a second through: the others wait, through the kill, and each comes."""
    elsewhere.answer = authorized()
    destination(bench, elsewhere.url, InvocationRateLimitPerSecond=1)
    events = {bench.put() for _ in range(4)}

    again = await kill(bench)
    for number in range(4):
        await noted(again, "delivered", number + 1)
        again.clock.advance(1)

    bodies = [json.loads(request.body) for request in elsewhere.requests if request.path == "/in"]
    assert {body["id"] for body in bodies} == events
    third = await kill(again)
    assert list(third.storage.records("events.delivery")) == []


async def test_a_retry_comes_at_its_time(bench: Bench, kill: Kill, elsewhere: Elsewhere) -> None:
    """With the count of those before, also when its rule is gone; then it is dead-lettered."""
    elsewhere.answer = authorized(status=503)
    dead = bench.queue("dead")
    arn = destination(bench, elsewhere.url)
    given = {"Id": "0", "Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/r", "DeadLetterConfig": {"Arn": dead}}
    bench.call("PutTargets", Rule="r", Targets=[{**given, "RetryPolicy": {"MaximumRetryAttempts": 2}}])
    event_id = bench.put()
    await noted(bench, "retry_scheduled")
    bench.clock.advance(1)
    await noted(bench, "retry_scheduled", 2)
    bench.call("RemoveTargets", Rule="r", Ids=["0"])
    bench.call("DeleteRule", Name="r")

    again = await kill(bench)
    calls = len(elsewhere.requests)
    again.clock.advance(0.5)
    assert len(elsewhere.requests) == calls
    again.clock.advance(2)
    await noted(again, "dead_lettered")

    (letter,) = again.messages("dead")
    assert json.loads(letter.body)["id"] == event_id
    assert letter.attributes["RETRY_ATTEMPTS"]["StringValue"] == "2"
