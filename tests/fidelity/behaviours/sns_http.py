"""Delivery to web servers: confirmation, headers, retries."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, same
from fidelity.sources import sns_api, sns_guide
from support.web_server import Received, WebServer

GROUP = Group("SNS", "Delivery by HTTP")
behaviour = GROUP.behaviour
_PREPARE = sns_guide("SendMessageToHttp.prepare")
_HEADERS = sns_guide("http-header")


def _asked(web: WebServer, aws: Aws, **attributes: str) -> tuple[str, Received]:
    """Return a new topic, and the request for confirmation of a subscription to it."""
    topic = aws.topic()
    aws.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{web.url}/hook", Attributes=attributes)
    return topic, eventually(lambda: web.requests, "asks for no confirmation")[0]


def _confirmed(web: WebServer, aws: Aws, **attributes: str) -> tuple[str, str]:
    """Return a new topic and the ARN of a confirmed subscription to it."""
    topic, request = _asked(web, aws, **attributes)
    token = json.loads(request.body)["Token"]
    arn = aws.sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]
    web.requests.clear()
    return topic, arn


def _first(web: WebServer) -> Received:
    request: Received = eventually(lambda: web.requests, "posts nothing")[0]
    return request


@behaviour(_PREPARE)
def asked_first(aws: Aws) -> None:
    """A web server is asked to confirm, with a token and a link (SubscribeURL)."""
    with aws.web() as web:
        _, request = _asked(web, aws)

    document: dict[str, Any] = json.loads(request.body)
    same("has the type", document.get("Type"), "SubscriptionConfirmation")
    same("has the header", request.headers.get("x-amz-sns-message-type"), "SubscriptionConfirmation")
    missing = {"Token", "SubscribeURL", "TopicArn", "Message", "Timestamp", "Signature"} - set(document)
    holds(not missing, f"lacks {sorted(missing)}")


@behaviour(sns_api("ConfirmSubscription", recorded=True))
def confirmed_with_a_wrong_name(aws: Aws) -> None:
    """A token confirms with any name of the topic."""
    with aws.web() as web:
        topic, request = _asked(web, aws)
        token = json.loads(request.body)["Token"]

        arn = aws.sns.confirm_subscription(TopicArn=f"{topic}x", Token=token)["SubscriptionArn"]

    shown = aws.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    same("shows", shown["PendingConfirmation"], "false")


@behaviour(_PREPARE)
def nothing_before(aws: Aws) -> None:
    """A web server gets no messages before it has confirmed."""
    with aws.web() as web:
        topic, request = _asked(web, aws)
        token = json.loads(request.body)["Token"]
        aws.publish(topic, "early")
        aws.sns.confirm_subscription(TopicArn=topic, Token=token)
        aws.publish(topic, "late")

        requests = eventually(lambda: web.requests[1:], "posts nothing")

        same("posts first", json.loads(requests[0].body).get("Message"), "late")


@behaviour(_HEADERS)
def headers(aws: Aws) -> None:
    """A message has headers for its type, id, topic and subscription."""
    with aws.web() as web:
        topic, arn = _confirmed(web, aws)
        message_id = aws.publish(topic)["MessageId"]

        shown = _first(web).headers

    wanted = {"message-type": "Notification", "message-id": message_id, "topic-arn": topic, "subscription-arn": arn}
    differs = [name for name, value in wanted.items() if shown.get(f"x-amz-sns-{name}") != value]
    holds(not differs, f"differs in {differs}")
    same("has the content type", shown.get("content-type"), "text/plain; charset=UTF-8")


@behaviour(_HEADERS)
def raw(aws: Aws) -> None:
    """Raw delivery posts the message as it is, with the header x-amz-sns-rawdelivery."""
    with aws.web() as web:
        topic, _ = _confirmed(web, aws, RawMessageDelivery="true")
        aws.publish(topic, "a,b")

        request = _first(web)

    same("posts", request.body, "a,b")
    same("has the header", request.headers.get("x-amz-sns-rawdelivery"), "true")


@behaviour(sns_guide("creating-delivery-policy"))
def content_type(aws: Aws) -> None:
    """The headerContentType of a delivery policy is the content type of messages."""
    policy = json.dumps({"requestPolicy": {"headerContentType": "text/csv"}})
    with aws.web() as web:
        topic, _ = _confirmed(web, aws, RawMessageDelivery="true", DeliveryPolicy=policy)
        aws.publish(topic, "a,b")

        same("has", _first(web).headers.get("content-type"), "text/csv")


@behaviour(sns_guide("sns-message-delivery-retries"))
def retries(aws: Aws) -> None:
    """An endpoint that answers 500 is retried as its delivery policy says."""
    retry = {"numRetries": 1, "minDelayTarget": 1, "maxDelayTarget": 1}
    with aws.web() as web:
        topic, _ = _confirmed(web, aws, DeliveryPolicy=json.dumps({"healthyRetryPolicy": retry}))
        web.statuses = [500]
        aws.publish(topic)

        eventually(lambda: len(web.requests) == 2, "does not try again")


@behaviour(sns_guide("sns-dead-letter-queues"))
def client_error(aws: Aws) -> None:
    """An answer of 403 is final: the message goes to the dead-letter queue."""
    dead = aws.queue(opened=True)
    with aws.web() as web:
        policy = json.dumps({"deadLetterTargetArn": dead.arn})
        topic, _ = _confirmed(web, aws, RedrivePolicy=policy, RawMessageDelivery="true")
        web.statuses = [403]
        aws.publish(topic)

        same("keeps", dead.bodies(1), ["m"])


def _with_credentials(web: WebServer) -> str:
    return f"{web.url.replace('http://', 'http://user:secret@')}/hook"


def _credentials(key: str, statement: str, challenge: str, scheme: str) -> None:
    """Add a row: a web server that answers 401 with this challenge gets the credentials of its URL."""

    def check(aws: Aws) -> None:
        with aws.web() as web:
            web.challenge = challenge
            aws.sns.subscribe(TopicArn=aws.topic(), Protocol="http", Endpoint=_with_credentials(web))
            second = eventually(lambda: web.requests[1:], "does not repeat the request")[0]
        same("sends", second.headers.get("authorization", "").partition(" ")[0], scheme)

    GROUP.add(key, statement, sns_guide("sns-http-https-endpoint-as-subscriber"), check)


_credentials("basic", "After 401 the user and password of the URL are sent (Basic)", 'Basic realm="r"', "Basic")
_credentials(
    "digest", "After 401 the user and password of the URL are proved (Digest)", 'Digest realm="r", nonce="n"', "Digest"
)


@behaviour(sns_guide("sns-http-https-endpoint-as-subscriber"))
def hidden_password(aws: Aws) -> None:
    """Lists show **** for the password of a web server."""
    with aws.web() as web:
        topic, endpoint = aws.topic(), _with_credentials(web)
        aws.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
        [listed] = aws.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]

    same("shows", listed["Endpoint"], endpoint.replace("secret", "****"))
