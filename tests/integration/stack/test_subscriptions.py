"""The optional subscriptions to alerts, and which of them an alert reaches."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from orderboard_stack.backend import Endpoint
from support.stack import DeployedStack, DeployStack
from support.waiting import eventually


@dataclass
class Webhook:
    """An HTTP endpoint on this machine that confirms its subscription and keeps what it is sent."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)
    confirmed: bool = False

    def confirm(self, subscribe_url: str) -> None:
        """Confirm the subscription, as the owner of an endpoint must."""
        urllib.request.urlopen(subscribe_url, timeout=5).close()  # noqa: S310
        self.confirmed = True

    def texts(self) -> list[str]:
        """The messages of all notifications so far."""
        return [each["Message"] for each in self.received if each["Type"] == "Notification"]


@pytest.fixture
def webhook(backend: Endpoint) -> Iterator[Webhook]:
    """A webhook that a backend on this machine itself can reach."""
    if not backend.capabilities.host_lambda:
        pytest.skip("a backend in a container does not reach this machine's loopback")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            notice = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.received.append(notice)
            if notice["Type"] == "SubscriptionConfirmation":
                threading.Thread(target=hook.confirm, args=(notice["SubscribeURL"],)).start()
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Webhook(f"http://127.0.0.1:{server.server_port}/alerts")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hook
    server.shutdown()
    server.server_close()


def announce(stack: DeployedStack, **body: str) -> str:
    """Publish to the alerts topic and return the body."""
    document = json.dumps(body)
    stack.sns.publish(TopicArn=stack.outputs.alerts_topic_arn, Message=document)
    return document


async def test_a_webhook_gets_warnings_and_alarms(deploy_stack: DeployStack, webhook: Webhook) -> None:
    """Informational alerts do not reach it; the inbox gets everything."""
    stack = deploy_stack({"AlertWebhook": webhook.url})
    await eventually(lambda: webhook.confirmed)

    fine = announce(stack, severity="info", text="all is well")
    urgent = {
        announce(stack, severity="warning", text="mind this"),
        announce(stack, severity="critical", text="help"),
        announce(stack, AlarmName="an alarm of CloudWatch"),
    }

    inbox: set[str] = set()

    def inbox_has_all() -> bool:
        inbox.update(message["Body"] for message in stack.receive(stack.outputs.inbox_queue))
        return inbox == {fine, *urgent}

    await eventually(inbox_has_all)
    await eventually(lambda: sorted(webhook.texts()) == sorted(urgent))


def test_addresses_are_subscribed_only_when_named(deploy_stack: DeployStack) -> None:
    """Mail and text messages each have a parameter; without it nobody is subscribed."""
    named = deploy_stack({"AlertEmail": "ada@example.com", "AlertPhone": "+4930123456"})
    unnamed = deploy_stack({})

    def subscribed(stack: DeployedStack) -> set[tuple[str, str]]:
        answer = stack.sns.list_subscriptions_by_topic(TopicArn=stack.outputs.alerts_topic_arn)
        return {(each["Protocol"], each["Endpoint"]) for each in answer["Subscriptions"] if each["Protocol"] != "sqs"}

    assert subscribed(named) == {("email", "ada@example.com"), ("sms", "+4930123456")}
    assert subscribed(unnamed) == set()
