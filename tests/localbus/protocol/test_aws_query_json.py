"""JSON answers to forms of clients that accept it, such as API Gateway."""

from __future__ import annotations

from typing import Any

import httpx
from localbus.pytest_plugin import Localbus

SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def post(
    localbus: Localbus, path: str = "/", service: str = "sqs", accept: str = "application/json", **form: str
) -> httpx.Response:
    """Send a form with an Accept header."""
    headers = {"Authorization": SCOPE.format(service), "Accept": accept}
    return httpx.post(localbus.url + path, data=form, headers=headers)


def result(answer: httpx.Response, action: str) -> Any:
    """Return the action's result; the document has nothing else but the request's id."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    inner = answer.json().pop(f"{action}Response")
    assert inner.pop("ResponseMetadata") == {"RequestId": answer.headers["x-amzn-requestid"]}
    return inner.get(f"{action}Result")


def test_a_message_by_forms_and_json(localbus: Localbus) -> None:
    """Messages are in `messages`, attributes are lists of names and values, and absent members are null."""
    created = result(post(localbus, Action="CreateQueue", QueueName="q"), "CreateQueue")
    attribute = {"Name": "kind", "Value.DataType": "String", "Value.StringValue": "a"}
    given = {f"MessageAttribute.1.{name}": value for name, value in attribute.items()}

    sent = result(post(localbus, "/000000000000/q", Action="SendMessage", MessageBody="<b>", **given), "SendMessage")
    names = {"AttributeName.1": "ApproximateReceiveCount", "MessageAttributeName.1": "All"}
    received = result(post(localbus, "/000000000000/q", Action="ReceiveMessage", **names), "ReceiveMessage")
    again = result(post(localbus, "/000000000000/q", Action="ReceiveMessage"), "ReceiveMessage")

    assert created == {"QueueUrl": f"{localbus.url}/000000000000/q"}
    assert (sent["SequenceNumber"], sent["MD5OfMessageSystemAttributes"]) == (None, None)
    [message] = received["messages"]
    assert (message["Body"], message["MessageId"]) == ("<b>", sent["MessageId"])
    assert message["Attributes"] == [{"Name": "ApproximateReceiveCount", "Value": "1"}]
    [shown] = message["MessageAttributes"]
    assert (shown["Name"], shown["Value"]["StringValue"], shown["Value"]["BinaryValue"]) == ("kind", "a", None)
    assert again == {"messages": None}
    handle = {"ReceiptHandle": message["ReceiptHandle"]}
    assert result(post(localbus, "/000000000000/q", Action="DeleteMessage", **handle), "DeleteMessage") is None


def test_lists_and_attributes_of_queues_in_json(localbus: Localbus) -> None:
    """Queues are in `queueUrls`, their attributes and tags in lists."""
    tag = {"Tag.1.Key": "team", "Tag.1.Value": "blue"}
    url = result(post(localbus, Action="CreateQueue", QueueName="q", **tag), "CreateQueue")["QueueUrl"]

    listed = result(post(localbus, Action="ListQueues"), "ListQueues")
    name = {"AttributeName.1": "VisibilityTimeout"}
    attributes = result(post(localbus, "/000000000000/q", Action="GetQueueAttributes", **name), "GetQueueAttributes")
    tags = result(post(localbus, "/000000000000/q", Action="ListQueueTags"), "ListQueueTags")

    assert listed == {"queueUrls": [url], "NextToken": None}
    assert attributes == {"Attributes": [{"Name": "VisibilityTimeout", "Value": "30"}]}
    assert tags == {"Tags": [{"Key": "team", "Value": "blue"}]}


def test_a_topic_by_forms_and_json(localbus: Localbus) -> None:
    """SNS keeps its members' names, and its maps are objects."""
    arn = result(post(localbus, service="sns", Action="CreateTopic", Name="t"), "CreateTopic")["TopicArn"]

    published = result(post(localbus, service="sns", Action="Publish", TopicArn=arn, Message="m"), "Publish")
    topics = result(post(localbus, service="sns", Action="ListTopics"), "ListTopics")
    shown = result(post(localbus, service="sns", Action="GetTopicAttributes", TopicArn=arn), "GetTopicAttributes")

    assert published.keys() == {"MessageId", "SequenceNumber"}
    assert published["SequenceNumber"] is None
    assert topics == {"Topics": [{"TopicArn": arn}], "NextToken": None}
    assert shown["Attributes"]["TopicArn"] == arn


def test_an_error_in_json(localbus: Localbus) -> None:
    """An error has code, message and type; a request without an action gets XML."""
    post(localbus, Action="CreateQueue", QueueName="q")

    rejected = post(localbus, "/000000000000/q", Action="ListQueues")
    nothing = post(localbus, "/000000000000/q")

    text = "The action ListQueues is not valid for this endpoint."
    assert rejected.status_code == 400
    assert rejected.json() == {
        "Error": {"Code": "InvalidAction", "Message": text, "Type": "Sender"},
        "RequestId": rejected.headers["x-amzn-requestid"],
    }
    assert nothing.status_code == 404
    assert "<UnknownOperationException" in nothing.text


def test_xml_is_the_default(localbus: Localbus) -> None:
    """A client that accepts anything gets XML."""
    answer = post(localbus, accept="*/*", Action="ListQueues")

    assert answer.headers["content-type"] == "text/xml"
    assert "<ListQueuesResponse" in answer.text
