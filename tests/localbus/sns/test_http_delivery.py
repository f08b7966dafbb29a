"""Delivery to HTTP endpoints and to Lambda functions: confirmation, retries, throttling, permissions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from localbus.engine import Options
from localbus.pytest_plugin import Localbus
from support.localbus import ACCOUNT, WebServer, journal, new_queue
from support.waiting import poll_until

FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
FUNCTION_PATH = f"/2015-03-31/functions/{FUNCTION.replace(':', '%3A')}"


def subscribe(sns: Any, topic: str, web: WebServer, **attributes: str) -> str:
    """Return the ARN of a confirmed subscription of the web server."""
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{web.url}/hook", Attributes=attributes)
    token = json.loads(poll_until(lambda: web.requests)[0].body)["Token"]
    web.requests.clear()
    return str(sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"])


def wait_for(count: int, items: Callable[[], list[Any]]) -> None:
    """Wait until there are so many items."""
    poll_until(lambda: len(items()) == count)


def test_an_endpoint_confirms_and_gets_messages(sns: Any, topic: str, web: WebServer) -> None:
    """An endpoint gets messages once it has visited the link in its first (sns-http-https-endpoint-as-subscriber)."""
    pending = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{web.url}/hook")
    assert pending["SubscriptionArn"] == "pending confirmation"
    request = poll_until(lambda: web.requests)[0]
    sns.publish(TopicArn=topic, Message="too early")
    document = json.loads(request.body)
    assert request.headers["x-amz-sns-message-type"] == document["Type"] == "SubscriptionConfirmation"
    assert request.headers["x-amz-sns-topic-arn"] == topic
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"
    assert list(document) == [
        *("Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp"),
        *("SignatureVersion", "Signature", "SigningCertURL"),
    ]

    assert httpx.get(document["SubscribeURL"]).status_code == 200
    message_id = sns.publish(TopicArn=topic, Message="m")["MessageId"]

    [notified] = poll_until(lambda: web.requests[1:])
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert notified.headers["x-amz-sns-message-type"] == "Notification"
    assert notified.headers["x-amz-sns-message-id"] == message_id
    assert notified.headers["x-amz-sns-subscription-arn"] == subscription["SubscriptionArn"]
    body = json.loads(notified.body)
    assert body["Message"] == "m"

    httpx.get(body["UnsubscribeURL"])

    ended = poll_until(lambda: web.requests[2:])[0]
    assert json.loads(ended.body)["Type"] == "UnsubscribeConfirmation"
    assert sns.list_subscriptions()["Subscriptions"] == []
    httpx.get(json.loads(ended.body)["SubscribeURL"])
    assert len(sns.list_subscriptions()["Subscriptions"]) == 1


def with_credentials(web: WebServer, credentials: str) -> str:
    """Return the server's address with user and password."""
    return web.url.replace("http://", f"http://{credentials}@")


@pytest.mark.parametrize(
    ("credentials", "sent", "shown"),
    [("user:s%40cret", b"user:s@cret", "user:****"), ("user", b"user:", "user")],
)
def test_credentials_are_sent_once_the_endpoint_asks(  # noqa: PLR0917 (a row of a table)
    localbus: Localbus, sns: Any, topic: str, web: WebServer, credentials: str, sent: bytes, shown: str
) -> None:
    """The first request has none; after 401 it is repeated with them (sns-http-https-endpoint-as-subscriber).

    Lists show the password as **** (reported by users of AWS); here no other place shows it either.
    """
    web.challenge = 'Basic realm="orders"'
    given = {"TopicArn": topic, "Protocol": "http", "Endpoint": f"{with_credentials(web, credentials)}/hook"}
    arn = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]

    first, second = poll_until(lambda: web.requests if len(web.requests) == 2 else [])
    sns.confirm_subscription(TopicArn=topic, Token=json.loads(second.body)["Token"])
    sns.publish(TopicArn=topic, Message="m")

    assert (first.path, first.body) == (second.path, second.body) == ("/hook", second.body)
    assert "authorization" not in first.headers
    assert second.headers["authorization"] == f"Basic {base64.b64encode(sent).decode()}"
    wait_for(4, lambda: web.requests)
    wait_for(1, lambda: journal(localbus, event="delivered"))
    [listed] = sns.list_subscriptions()["Subscriptions"]
    hidden = f"{with_credentials(web, shown)}/hook"
    assert (
        listed["Endpoint"] == sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["Endpoint"] == hidden
    )
    assert sns.subscribe(**given)["SubscriptionArn"] == arn
    assert "s%40cret" not in httpx.get(f"{localbus.url}/_localbus/journal").text


@pytest.mark.parametrize(
    "challenge", ['Basic realm="a"', "Basic", "Bearer", 'Digest realm="a", nonce="n", algorithm=unknown']
)
def test_rejected_credentials_are_a_permanent_failure(  # noqa: PLR0917 (a row of a table)
    localbus: Localbus, sns: Any, topic: str, web: WebServer, challenge: str, caplog: pytest.LogCaptureFixture
) -> None:
    """401 is a client's error, which is not retried; the password is in no text about it."""
    web.statuses = [200]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{with_credentials(web, 'user:secret')}/hook")
    token = json.loads(poll_until(lambda: web.requests)[0].body)["Token"]
    sns.confirm_subscription(TopicArn=topic, Token=token)
    web.statuses, web.challenge = [401], challenge

    sns.publish(TopicArn=topic, Message="m")

    wait_for(1, lambda: journal(localbus, event="dropped"))
    [undelivered] = journal(localbus, event="undelivered")
    assert undelivered["detail"].endswith("/hook answered 401")
    assert len(web.requests) == (3 if "Basic realm" in challenge else 2)
    assert "secret" not in undelivered["detail"]
    assert "secret" not in caplog.text


def test_digest_authentication(sns: Any, topic: str, web: WebServer) -> None:
    """The answer to a Digest challenge proves the password without sending it (RFC 2617)."""
    web.challenge = 'Digest realm="r", qop="auth", nonce="n1", opaque="o"'
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{with_credentials(web, 'user:secret')}/hook?a=1")

    request = poll_until(lambda: web.requests[1:])[0]

    values = dict(re.findall(r'(\w+)="?([^",]+)', request.headers["authorization"]))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    proof = f"{md5('user:r:secret')}:n1:{values['nc']}:{values['cnonce']}:auth:{md5('POST:/hook?a=1')}"
    assert values["response"] == md5(proof)
    assert (values["username"], values["uri"], values["opaque"]) == ("user", "/hook?a=1", "o")


def test_an_owner_ends_a_subscription_without_a_message(
    localbus: Localbus, sns: Any, topic: str, web: WebServer
) -> None:
    """The message that lets the endpoint undo the end follows only another's request (API_Unsubscribe)."""
    arn = subscribe(sns, topic, web)
    [sent] = journal(localbus, event="confirmation_sent")

    sns.unsubscribe(SubscriptionArn=arn)

    assert journal(localbus, event="confirmation_sent") == [sent]
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_a_request_policy_without_a_content_type(sns: Any, topic: str, web: WebServer) -> None:
    """The default content type applies."""
    subscribe(sns, topic, web, DeliveryPolicy=json.dumps({"requestPolicy": {"other": "x"}}))

    sns.publish(TopicArn=topic, Message="m")

    [request] = poll_until(lambda: web.requests)
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"


def test_the_trace_header_is_passed_on(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """An HTTP endpoint gets the publisher's X-Amzn-Trace-Id as a header (xray-services-sns)."""
    subscribe(sns, topic, web)
    form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": "m"}

    httpx.post(localbus.url, data=form, headers={"X-Amzn-Trace-Id": "Root=1-2-3"})

    [request] = poll_until(lambda: web.requests)
    assert request.headers["x-amzn-trace-id"] == "Root=1-2-3"


def test_an_endpoint_that_fails_is_retried(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """Three retries, 20 s apart, precede the dead-letter queue (sns-message-delivery-retries)."""
    dead = new_queue(localbus, "dead")
    subscribe(sns, topic, web, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))
    web.statuses = [500, 429, 503, 500]

    sns.publish(TopicArn=topic, Message="m")

    for attempts in (1, 2, 3):
        wait_for(attempts, lambda: journal(localbus, event="retry_scheduled"))
        localbus.advance(19)
        assert len(web.requests) == attempts
        localbus.advance(1)
    poll_until(lambda: journal(localbus, event="dead_lettered"))
    assert len(web.requests) == 4
    assert json.loads(dead.bodies()[0])["Message"] == "m"


def test_a_client_error_is_final(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """A message that the endpoint rejects is not retried (sns-dead-letter-queues)."""
    subscribe(sns, topic, web)
    web.statuses = [403]

    sns.publish(TopicArn=topic, Message="m")

    [undelivered] = poll_until(lambda: journal(localbus, event="undelivered"))
    assert undelivered["detail"] == f"{web.url}/hook answered 403"
    localbus.advance(3600)
    assert journal(localbus, event="retry_scheduled") == []
    assert len(web.requests) == 1


def test_throttling(localbus: Localbus, sns: Any, topic: str, web: WebServer) -> None:
    """With maxReceivesPerSecond, deliveries by HTTP wait for their turn (creating-delivery-policy)."""
    arn = subscribe(sns, topic, web, DeliveryPolicy=json.dumps({"throttlePolicy": {"maxReceivesPerSecond": 2}}))
    subscription = localbus.engine.sns.topics.find_subscription(arn)
    assert subscription is not None

    for number in range(4):
        sns.publish(TopicArn=topic, Message=str(number))

    assert subscription.take_turn(localbus.clock.now()) == 2
    for arrived in range(1, 5):
        wait_for(arrived, lambda: web.requests)
        localbus.advance(0.5)
    assert [json.loads(request.body)["Message"] for request in web.requests] == list("0123")
    assert subscription.take_turn(localbus.clock.now()) == 0.5


@pytest.fixture
def with_functions(web: WebServer) -> Iterator[Localbus]:
    """An engine whose upstream is the web server."""
    bus = Localbus(Options(upstream=web.url)).start()
    yield bus
    bus.stop()


def function_topic(localbus: Localbus, **attributes: str) -> tuple[Any, str, str]:
    """Return a client, a topic with the function subscribed, and the subscription's ARN."""
    sns = localbus.client("sns")
    topic = sns.create_topic(Name="t", Attributes={"SignatureVersion": "2"})["TopicArn"]
    given = {"TopicArn": topic, "Protocol": "lambda", "Endpoint": FUNCTION, "Attributes": attributes}
    return sns, topic, sns.subscribe(**given)["SubscriptionArn"]


def permit(web: WebServer, **statement: Any) -> None:
    """Let the upstream answer with a policy of the function."""
    document = {"Statement": [{"Effect": "Allow", "Resource": FUNCTION, **statement}]}
    body = json.dumps({"Policy": json.dumps(document)}).encode()
    web.answers["GET", f"{FUNCTION_PATH}/policy"] = (200, body)


def test_a_function(with_functions: Localbus, web: WebServer) -> None:
    """It is invoked asynchronously, with AWS's event (with-sns, in the Lambda guide).

    The event has version 1 for a signature of either version (recorded of AWS).
    """
    sns, topic, arn = function_topic(with_functions)
    condition = {"ArnLike": {"AWS:SourceArn": topic}}
    permit(web, Principal={"Service": "sns.amazonaws.com"}, Action="lambda:InvokeFunction", Condition=condition)
    web.answers["POST", f"{FUNCTION_PATH}/invocations"] = (202, b"")
    attributes = {"text": {"DataType": "String", "StringValue": "grüße"}}

    message_id = sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)["MessageId"]

    poll_until(lambda: journal(with_functions, event="delivered"))
    call = web.requests[-1]
    assert call.headers["x-amz-invocation-type"] == "Event"
    [record] = json.loads(call.body)["Records"]
    assert (record["EventSource"], record["EventVersion"], record["EventSubscriptionArn"]) == ("aws:sns", "1.0", arn)
    event = record["Sns"]
    assert (event["MessageId"], event["Message"], event["Subject"]) == (message_id, "m", None)
    assert event["MessageAttributes"] == {"text": {"Type": "String", "Value": "grüße"}}
    assert {"SigningCertUrl", "UnsubscribeUrl", "Signature", "Timestamp", "Type"} <= set(event)
    assert event["SignatureVersion"] == "1"


def test_a_function_without_a_permission_is_not_invoked(with_functions: Localbus, web: WebServer) -> None:
    """Its policy must name SNS (API_AddPermission, in the Lambda guide); else the message is dead-lettered."""
    dead = new_queue(with_functions, "dead")
    web.answers["GET", f"{FUNCTION_PATH}/policy"] = (404, b"{}")
    sns, topic, _ = function_topic(with_functions, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))

    sns.publish(TopicArn=topic, Message="m")

    [undelivered] = poll_until(lambda: journal(with_functions, event="undelivered"))
    assert "does not allow sns.amazonaws.com to invoke it" in undelivered["detail"]
    assert {request.method for request in web.requests} == {"GET"}
    assert json.loads(poll_until(dead.bodies)[0])["Message"] == "m"


def test_a_function_that_fails_is_retried_immediately(with_functions: Localbus, web: WebServer) -> None:
    """Three retries have no delay, the next has one of a second (sns-message-delivery-retries)."""
    permit(web, Principal="*", Action="lambda:*")
    sns, topic, _ = function_topic(with_functions)
    web.statuses = [500, 500, 500, 500]

    sns.publish(TopicArn=topic, Message="m")

    scheduled = poll_until(lambda: journal(with_functions, event="retry_scheduled")[3:])
    assert scheduled[0]["detail"]["after_s"] == 1
    with_functions.advance(1)
    poll_until(lambda: journal(with_functions, event="delivered"))
    assert len([request for request in web.requests if request.method == "POST"]) == 5


def test_an_unexpected_error_is_dead_lettered(
    localbus: Localbus, sns: Any, topic: str, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the engine in one delivery does not lose the message."""
    dead = new_queue(localbus, "dead")
    subscribe(sns, topic, web, RawMessageDelivery="true", RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}))

    def broken(_subscription: object) -> str:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr("localbus.sns.subscription.Subscription.content_type", broken)
    sns.publish(TopicArn=topic, Message="m")

    [moved] = poll_until(lambda: journal(localbus, event="dead_lettered"))
    assert moved["detail"]["reason"] == "broken"
    assert dead.bodies() == ["m"]


def test_raw_delivery(sns: Any, topic: str, web: WebServer) -> None:
    """The body is as published, with a header and the content type of the delivery policy (http-header)."""
    policy = json.dumps({"requestPolicy": {"headerContentType": "text/csv"}})
    subscribe(sns, topic, web, RawMessageDelivery="true", DeliveryPolicy=policy)

    sns.publish(TopicArn=topic, Message="a,b")

    [request] = poll_until(lambda: web.requests)
    assert request.body == "a,b"
    assert request.headers["x-amz-sns-rawdelivery"] == "true"
    assert request.headers["content-type"] == "text/csv"
