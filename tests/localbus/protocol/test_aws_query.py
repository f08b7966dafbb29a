"""The Query protocol of older SDKs and curl: forms to SQS, and XML answers."""

from __future__ import annotations

from typing import cast
from xml.etree import ElementTree as ET

import httpx
import pytest
from localbus.errors import MalformedRequestError
from localbus.protocol.aws_query import QueryProtocol
from localbus.protocol.constraints import describe
from localbus.protocol.service import Service
from localbus.protocol.service_model import Api
from localbus.pytest_plugin import Localbus

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"


def post(localbus: Localbus, path: str = "/", **form: str) -> tuple[int, ET.Element]:
    """Send a form, and return the status and the XML."""
    answer = httpx.post(localbus.url + path, data={"Version": "2012-11-05", **form}, headers={"Authorization": SCOPE})
    return answer.status_code, ET.fromstring(answer.content)  # noqa: S314 (our own server's XML)


def text(element: ET.Element, path: str) -> str | None:
    """Return the text at a path."""
    return element.findtext("/".join(NAMESPACE + part for part in path.split("/")))


def test_a_message_by_forms(localbus: Localbus) -> None:
    """Send, receive and delete by forms, with attributes by their flat names (API_SendMessage, examples)."""
    _, created = post(
        localbus, Action="CreateQueue", QueueName="q", **{"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"}
    )
    url = text(created, "CreateQueueResult/QueueUrl")
    attribute = {
        "MessageAttribute.1.Name": "kind",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "<a&b>",
    }

    _, sent = post(localbus, "/000000000000/q", Action="SendMessage", MessageBody="<hello> &", **attribute)
    _, received = post(
        localbus,
        Action="ReceiveMessage",
        QueueUrl=url or "",
        **{"AttributeName.1": "All", "MessageAttributeName.1": "All", "MaxNumberOfMessages": "2"},
    )

    assert sent.tag == f"{NAMESPACE}SendMessageResponse"
    assert text(sent, "ResponseMetadata/RequestId")
    message = received.find(f"{NAMESPACE}ReceiveMessageResult/{NAMESPACE}Message")
    assert message is not None
    assert text(message, "Body") == "<hello> &"
    assert text(message, "MessageAttribute/Name") == "kind"
    assert text(message, "MessageAttribute/Value/StringValue") == "<a&b>"
    names = {element.findtext(f"{NAMESPACE}Name") for element in message.findall(f"{NAMESPACE}Attribute")}
    assert {"SenderId", "SentTimestamp", "ApproximateReceiveCount"} <= names
    status, deleted = post(
        localbus, "/000000000000/q", Action="DeleteMessage", ReceiptHandle=text(message, "ReceiptHandle") or ""
    )
    assert (status, deleted.tag) == (200, f"{NAMESPACE}DeleteMessageResponse")


def test_a_batch_by_forms(localbus: Localbus) -> None:
    """Entries are numbered from 1 under the name of their shape (API_SendMessageBatch, examples)."""
    post(localbus, Action="CreateQueue", QueueName="q")
    entries = {}
    for number in (1, 2, 10):
        entries[f"SendMessageBatchRequestEntry.{number}.Id"] = f"id{number}"
        entries[f"SendMessageBatchRequestEntry.{number}.MessageBody"] = "b"
    entries["SendMessageBatchRequestEntry.10.DelaySeconds"] = "1000"

    _, answer = post(localbus, "/000000000000/q", Action="SendMessageBatch", **entries)

    result = answer[0]
    sent = [element.findtext(f"{NAMESPACE}Id") for element in result.findall(f"{NAMESPACE}SendMessageBatchResultEntry")]
    assert sent == ["id1", "id2"]
    assert text(result, "BatchResultErrorEntry/Code") == "InvalidParameterValue"
    assert text(result, "BatchResultErrorEntry/SenderFault") == "true"


def test_errors_have_the_older_codes(localbus: Localbus) -> None:
    """The Query protocol has another code and message for a missing queue (recorded from AWS)."""
    status, error = post(localbus, Action="GetQueueUrl", QueueName="none")

    assert status == 400
    assert text(error, "Error/Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert text(error, "Error/Message") == "The specified queue does not exist for this wsdl version."
    assert text(error, "Error/Type") == "Sender"


def test_unknown_and_incomplete_requests(localbus: Localbus) -> None:
    """An unknown action is InvalidAction, a missing member MissingParameter (CommonErrors)."""
    _, unknown = post(localbus, Action="SendMassage")
    _, incomplete = post(localbus, Action="CreateQueue")

    assert text(unknown, "Error/Code") == "InvalidAction"
    assert text(unknown, "Error/Message") == "The action SendMassage is not valid for this endpoint."
    assert text(incomplete, "Error/Code") == "MissingParameter"
    assert text(incomplete, "Error/Message") == "The request must contain the parameter QueueName."


def test_a_get_without_a_signature(localbus: Localbus) -> None:
    """A queue's URL with an action in its query is enough, such as for curl."""
    localbus.client("sqs").create_queue(QueueName="q")

    answer = httpx.get(f"{localbus.url}/000000000000/q?Action=SendMessage&MessageBody=hello%20there")

    assert answer.status_code == 200
    [received] = localbus.client("sqs").receive_message(QueueUrl=f"{localbus.url}/000000000000/q")["Messages"]
    assert received["Body"] == "hello there"


def test_a_queue_s_url_without_a_signature(localbus: Localbus) -> None:
    """Without a signature the queue is found in any region, unless two regions have one of that name."""
    urls = [localbus.client("sqs", region="eu-west-1").create_queue(QueueName=name)["QueueUrl"] for name in "ab"]
    localbus.client("sqs", region="eu-west-2").create_queue(QueueName="b")

    found, ambiguous = (httpx.get(url, params={"Action": "SendMessage", "MessageBody": "hello"}) for url in urls)

    assert found.status_code == 200
    assert "NonExistentQueue" in ambiguous.text


def test_actions_that_a_queue_s_url_rejects(localbus: Localbus) -> None:
    """Actions that are not about one queue, and requests without an action, are rejected (recorded from AWS)."""
    localbus.client("sqs").create_queue(QueueName="q")

    status, rejected = post(localbus, "/000000000000/q", Action="ListQueues")
    nothing = httpx.get(f"{localbus.url}/000000000000/q")
    empty = httpx.get(f"{localbus.url}/000000000000/q?Action=ReceiveMessage")

    assert (status, text(rejected, "Error/Code")) == (400, "InvalidAction")
    assert nothing.status_code == 404
    assert "<UnknownOperationException" in nothing.text
    assert "<ReceiveMessageResult/>" in empty.text


@pytest.mark.parametrize("form", [{"A.1": "x", "A.1.B": "y"}, {"A.1.B": "y", "A.1": "x"}])
def test_a_name_is_a_value_or_a_structure(form: dict[str, str]) -> None:
    """A form with both is malformed."""
    protocol = QueryProtocol(Service(Api("sqs"), {}, "1.0"))

    with pytest.raises(MalformedRequestError):
        protocol.read("ListQueues", form)


def test_a_service_with_the_protocol_s_names() -> None:
    """SNS's lists and maps are nested (`member.N`, `entry.N`), read and written by the model alone."""
    protocol = QueryProtocol(Service(Api("sns"), {}, None))
    form = {
        "TopicArn": "arn",
        "PublishBatchRequestEntries.member.1.Id": "1",
        "PublishBatchRequestEntries.member.1.Message": "m",
        "PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name": "n",
        "PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.DataType": "Binary",
        "PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.BinaryValue": "eHg=",
    }

    operation, params = protocol.read("PublishBatch", form)
    answer = protocol.write(operation, {"Successful": [{"Id": "1", "MessageId": "m"}], "Failed": []}, "request")

    [entry] = params["PublishBatchRequestEntries"]
    assert entry["MessageAttributes"] == {"n": {"DataType": "Binary", "BinaryValue": b"xx"}}
    assert b"<PublishBatchResult><Successful><member><Id>1</Id><MessageId>m</MessageId></member>" in cast(
        bytes, answer.body
    )


def test_constraints_of_the_model() -> None:
    """Violations are described as in AWS's ValidationException."""
    operation = Api("events").operation("PutRule")

    violations = operation.violations({"Name": "a b", "State": "SLEEPING"})

    assert describe(violations) == (
        r"2 validation errors detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy "
        r"regular expression pattern: [\.\-_A-Za-z0-9]+; Value 'SLEEPING' at 'state' failed to satisfy constraint: "
        r"Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]"
    )


def test_an_error_with_characters_that_xml_forbids(localbus: Localbus) -> None:
    """They are replaced, so that the error can be parsed."""
    status, answer = post(localbus, Action="CreateQueue", QueueName="a\x02b\ufffe", **{"Attribute.1.Name": "\x1f"})

    assert status == 400
    assert text(answer, "Error/Code")


@pytest.mark.parametrize(
    ("service", "version", "has_detail"), [("sqs", "2012-11-05", True), ("sns", "2010-03-31", False)]
)
def test_only_errors_of_sqs_have_a_detail(localbus: Localbus, service: str, version: str, has_detail: bool) -> None:
    """Errors have type, code and message; SQS's also an empty Detail (recorded from AWS)."""
    headers = {"Authorization": SCOPE.replace("/sqs/", f"/{service}/")}

    answer = httpx.post(localbus.url, data={"Version": version, "Action": "Nothing"}, headers=headers)

    found = [element.tag.rpartition("}")[2] for element in ET.fromstring(answer.content)[0]]  # noqa: S314 (ours)
    assert found == ["Type", "Code", "Message", *(["Detail"] if has_detail else [])]
