"""Receiving: parameters, attributes and long polling."""

from __future__ import annotations

import threading
import time

import httpx
from fidelity.aws import ACCOUNT, REGION, Aws, attribute, bodies, new_url
from fidelity.behaviour import Group
from fidelity.expect import holds, same, timed
from fidelity.sources import sqs_api, sqs_guide

GROUP = Group("SQS", "Receiving")
behaviour = GROUP.behaviour
_POLLING = sqs_guide("sqs-short-and-long-polling")
_NAMES = {"General": "Kenobi", "Hello": "There", "Help.Me": "Me"}


@behaviour(sqs_api("ReceiveMessage"))
def nothing_there(aws: Aws) -> None:
    """The answer of an empty queue has no member Messages."""
    holds("Messages" not in aws.sqs.receive_message(QueueUrl=aws.queue().url), "answers an empty list")


@behaviour(sqs_api("ReceiveMessage"))
def one_by_default(aws: Aws) -> None:
    """Without MaxNumberOfMessages one message is returned."""
    queue = aws.queue()
    for _ in range(3):
        queue.send()

    same("gives", len(aws.sqs.receive_message(QueueUrl=queue.url)["Messages"]), 1)


@behaviour(sqs_api("ReceiveMessage", recorded=True))
def form_and_json(aws: Aws) -> None:
    """A form whose client accepts application/json, as API Gateway does, gets the document as JSON."""
    queue = aws.queue()
    queue.send("hello")
    scope = f"Credential={ACCOUNT}/20260101/{REGION}/sqs/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}", "Accept": "application/json"}
    form = {"Action": "ReceiveMessage", "Version": "2012-11-05", "QueueUrl": queue.url}

    answer = httpx.post(aws.clients.endpoint_url, data=form, headers=headers)

    holds(answer.text.startswith("{"), "answers XML")
    result = answer.json().get("ReceiveMessageResponse", {}).get("ReceiveMessageResult", {})
    holds("messages" in result, f"has {', '.join(result)} in place of messages")
    same("gives", [message["Body"] for message in result["messages"]], ["hello"])


_refused = GROUP.refusals("sqs.receive_message", "InvalidParameterValue", sqs_api("ReceiveMessage"), QueueUrl=new_url)
_refused("eleven_messages", "Asking for eleven messages is rejected", MaxNumberOfMessages=11)
_refused("no_messages", "Asking for 0 messages is rejected", MaxNumberOfMessages=0)
_refused("waiting_too_long", "Waiting for more than 20 seconds is rejected", WaitTimeSeconds=21)
_refused("hiding_too_long", "A visibility timeout of more than 12 hours is rejected", VisibilityTimeout=43_201)


@behaviour(sqs_api("ReceiveMessage", recorded=True))
def system_attributes(aws: Aws) -> None:
    """All returns SenderId, SentTimestamp, ApproximateReceiveCount and ApproximateFirstReceiveTimestamp."""
    shown = aws.queue().received(AttributeNames=["All"])["Attributes"]

    names = {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}
    same("shows", sorted(shown), sorted(names))


@behaviour(sqs_api("ReceiveMessage"))
def none_unless_asked(aws: Aws) -> None:
    """Without names neither attributes nor their digest are returned."""
    queue = aws.queue()
    queue.send(MessageAttributes={"a": attribute("1")})

    same("tells", sorted(queue.one()), ["Body", "MD5OfBody", "MessageId", "ReceiptHandle"])


def _selection(name: str, statement: str, names: list[str], wanted: dict[str, str], digest: str) -> None:
    def check(aws: Aws) -> None:
        queue = aws.queue()
        queue.send("msg", MessageAttributes={name: attribute(value) for name, value in _NAMES.items()})
        message = queue.one(MessageAttributeNames=names)
        shown = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
        same("shows", shown, wanted)
        same("digest", message.get("MD5OfMessageAttributes", ""), digest)

    GROUP.add(name, statement, sqs_api("ReceiveMessage", recorded=True), check)


_selection("all_attributes", "All selects every attribute", ["All"], _NAMES, "4c360f3fdafd970e05fae2f149d997f5")
_selection(
    "any_prefix", "An empty prefix (.*) selects all attributes", [".*"], _NAMES, "4c360f3fdafd970e05fae2f149d997f5"
)
_selection(
    "attributes_by_prefix",
    "Hel.* selects the names with that prefix; the digest covers only those",
    ["Hel.*"],
    {"Hello": "There", "Help.Me": "Me"},
    "83fee93c1bcd8b9a5a923ffacdc636c7",
)
_selection(
    "attributes_by_name",
    "Names that a message does not have are ignored",
    ["Hello", "Foo"],
    {"Hello": "There"},
    "a311262e065454b75da111d535b8dacd",
)


@behaviour(sqs_api("ReceiveMessage"))
def receive_count(aws: Aws) -> None:
    """ApproximateReceiveCount increases; the time of the first receive stays."""
    queue = aws.queue()
    first = queue.received(AttributeNames=["All"], VisibilityTimeout=0)["Attributes"]
    time.sleep(0.1)

    second = queue.one(AttributeNames=["All"], VisibilityTimeout=0)["Attributes"]

    same("counts", [first["ApproximateReceiveCount"], second["ApproximateReceiveCount"]], ["1", "2"])
    name = "ApproximateFirstReceiveTimestamp"
    holds(first[name] == second[name], "moves the time of the first receive")


@behaviour(sqs_guide("sqs-queue-message-identifiers"))
def another_handle(aws: Aws) -> None:
    """Each receive returns another receipt handle; the message id stays."""
    queue = aws.queue()

    first, second = queue.received(VisibilityTimeout=0), queue.one(VisibilityTimeout=0)

    holds(first["ReceiptHandle"] != second["ReceiptHandle"], "gives the same handle")
    holds(first["MessageId"] == second["MessageId"], "gives another message id")


@behaviour(_POLLING)
def long_poll(aws: Aws) -> None:
    """A waiting receive returns as soon as a message arrives."""
    queue = aws.queue()
    timer = threading.Timer(0.7, queue.send)

    with timed("answers", most_s=7):
        timer.start()
        same("gives", bodies(queue.receive(wait_s=15)), ["b"])
    timer.join()


@behaviour(_POLLING)
def long_poll_in_vain(aws: Aws) -> None:
    """A waiting receive returns without messages after its wait time."""
    queue = aws.queue()

    with timed("answers", least_s=1.7):
        same("gives", queue.receive(wait_s=2), [])


@behaviour(_POLLING)
def queue_s_wait(aws: Aws) -> None:
    """ReceiveMessageWaitTimeSeconds of the queue applies if a request does not set it."""
    queue = aws.queue(ReceiveMessageWaitTimeSeconds="2")

    with timed("answers", least_s=1.7):
        aws.sqs.receive_message(QueueUrl=queue.url)


@behaviour(_POLLING)
def request_s_wait_first(aws: Aws) -> None:
    """A request's wait time of 0 overrides the queue's."""
    queue = aws.queue(ReceiveMessageWaitTimeSeconds="15")

    with timed("answers", most_s=7):
        aws.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=0)


@behaviour(_POLLING)
def woken_by_a_delay(aws: Aws) -> None:
    """A waiting receive returns when a delayed message is due."""
    queue = aws.queue()
    queue.send("late", DelaySeconds=1)

    with timed("answers", most_s=8):
        same("gives", bodies(queue.receive(wait_s=15)), ["late"])
