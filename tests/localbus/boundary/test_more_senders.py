"""Messages of functions, API Gateway, IoT, SES and FIFO topics arrive, with a real MiniStack behind localbus."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import httpx
from support.localbus import ACCOUNT, QueueOf

from .conftest import ROLE, Bench, arrived

SENDS = """
import boto3

def handle(event, context):
    boto3.client("dynamodb").put_item(TableName=event["table"], Item={"id": {"S": "1"}})
    boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody="tea")
"""


def test_a_function_that_sends(bench: Bench) -> None:
    """A function's own calls reach localbus's queues and tables: the backend gives it AWS_ENDPOINT_URL."""
    tables, table = bench.client("dynamodb"), bench.name("-table")
    tables.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    functions, queue, name, code = bench.client("lambda"), bench.queue(), bench.name(), io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", SENDS)
    given = {"Runtime": "python3.13", "Role": ROLE, "Handler": "handler.handle", "Code": {"ZipFile": code.getvalue()}}
    functions.create_function(FunctionName=name, Timeout=30, **given)

    functions.invoke(FunctionName=name, Payload=json.dumps({"url": queue.url, "table": table}))

    assert arrived(queue)[0]["Body"] == "tea"
    assert tables.scan(TableName=table)["Items"] == [{"id": {"S": "1"}}]


def test_api_gateway_to_a_queue(bench: Bench) -> None:
    """A method of a REST API sends to a queue.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
    """
    gateway, queue = bench.client("apigateway"), bench.queue()
    api = gateway.create_rest_api(name=bench.name())["id"]
    method = {
        "restApiId": api,
        "resourceId": gateway.get_resources(restApiId=api)["items"][0]["id"],
        "httpMethod": "POST",
    }
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(
        **method,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:sqs:path/{ACCOUNT}/{queue.arn.rpartition(':')[2]}",
        requestTemplates={"application/json": "Action=SendMessage&MessageBody=$input.body"},
    )
    gateway.create_deployment(restApiId=api, stageName="s")

    httpx.post(f"{bench.url}/restapis/{api}/s/_user_request_/", json={"a": 1})

    assert json.loads(arrived(queue)[0]["Body"]) == {"a": 1}


def test_iot_to_a_queue(bench: Bench) -> None:
    """A topic rule sends the messages of devices to a queue.

    Source: https://docs.aws.amazon.com/iot/latest/developerguide/sqs-rule-action.html
    """
    queue, name = bench.queue(), bench.name()
    action = {"sqs": {"queueUrl": queue.url, "roleArn": ROLE}}
    payload = {"sql": f"SELECT * FROM '{name}'", "actions": [action]}  # noqa: S608 (IoT's own)
    bench.client("iot").create_topic_rule(ruleName=name, topicRulePayload=payload)

    bench.client("iot-data").publish(topic=name, payload=b'{"a": 1}')

    assert json.loads(arrived(queue)[0]["Body"]) == {"a": 1}


def test_ses_to_a_topic(bench: Bench) -> None:
    """A topic gets the bounces of an identity.

    Source: https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html
    """
    mail, (topic_arn, queue), identity = bench.client("ses"), bench.topic(), f"{bench.name()}@example.com"
    mail.verify_email_identity(EmailAddress=identity)
    mail.set_identity_notification_topic(Identity=identity, NotificationType="Bounce", SnsTopic=topic_arn)
    message = {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}
    to = {"ToAddresses": ["bounce@simulator.amazonses.com"]}

    mail.send_email(Source=identity, Destination=to, Message=message)

    assert json.loads(arrived(queue)[0]["Body"])["notificationType"] == "Bounce"


def test_a_fifo_topic(bench: Bench) -> None:
    """A message for a FIFO topic keeps its group and its deduplication id."""
    sns, name, queue = (
        bench.client("sns"),
        bench.name(".fifo"),
        bench.queue(allows="sns", suffix=".fifo", FifoQueue="true"),
    )
    topic_arn = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"})["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
    given = {"TopicArn": topic_arn, "Message": "tea", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": given, "End": True}
    steps = bench.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": task}})
    machine = steps.create_state_machine(name=bench.name(), roleArn=ROLE, definition=definition)

    steps.start_execution(stateMachineArn=machine["stateMachineArn"])

    message = arrived(queue)[0]
    attributes = message["Attributes"]
    shown = (message["Body"], attributes["MessageGroupId"], attributes["MessageDeduplicationId"])
    assert shown == ("tea", "g", "d")


def test_a_denied_role(bench: Bench) -> None:
    """A role of the queue's account needs no policy, and a policy can deny it; the journal has the reason."""
    sqs, queue = bench.client("sqs"), bench.queue()
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue.arn}
    sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps({"Statement": [deny]})})
    dead_letters = bench.queue()
    window = {"Mode": "OFF"}
    target = {"Arn": queue.arn, "RoleArn": ROLE, "Input": "{}", "DeadLetterConfig": {"Arn": dead_letters.arn}}

    bench.client("scheduler").create_schedule(
        Name=bench.name(), ScheduleExpression="at(2020-01-01T00:00:00)", FlexibleTimeWindow=window, Target=target
    )

    message = arrived(dead_letters, 15)[0]
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "AccessDeniedException"
    assert QueueOf(sqs, queue.url, queue.arn).receive() == []


def test_one_identity(bench: Bench) -> None:
    """GetCallerIdentity names the user that subscribes; a session of the upstream has its role's identity."""
    sts, (topic_arn, _) = bench.client("sts"), bench.topic()
    sns = bench.client("sns")
    subscription = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"][0]["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    session = sts.assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"]
    keys = {"aws_access_key_id": session["AccessKeyId"], "aws_secret_access_key": session["SecretAccessKey"]}
    make: Any = boto3.client
    assumed = make("sts", endpoint_url=bench.url, region_name="us-east-1", **keys)

    assert sts.get_caller_identity()["Arn"] == attributes["SubscriptionPrincipal"]
    assert assumed.get_caller_identity()["Arn"].endswith("assumed-role/sender/session")
