"""Valid requests: for each service the value of each member, and what single actions need instead.

A text `$name` stands for something that exists in the world, such as a receipt handle; see `world`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fuzz import dynamodb_examples

ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True)
class Embedded:
    """A JSON document that a request carries as text."""

    value: Any


def arn(service: str, resource: str) -> str:
    """Return an ARN of the world's account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def policy(service: str, resource: str, action: str) -> Embedded:
    """Return a resource policy with a condition."""
    statement = {
        "Sid": "one",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": [f"{service}:{action}"],
        "Resource": arn(service, resource),
        "Condition": {"ArnLike": {"aws:SourceArn": arn("events", "*")}},
    }
    return Embedded({"Version": "2012-10-17", "Id": "p", "Statement": [statement]})


QUEUE_URL = f"http://localhost/{ACCOUNT}/q"
FIFO_URL = f"http://localhost/{ACCOUNT}/q.fifo"
PATTERN = Embedded({
    "source": ["orders", {"prefix": "o"}],
    "detail": {
        "total": [{"numeric": [">", 0, "<=", 100]}],
        "name": [{"anything-but": {"prefix": "x"}}, {"wildcard": "a*b"}, {"equals-ignore-case": "ada"}],
        "ip": [{"cidr": "10.0.0.0/24"}, {"exists": True}],
        "$or": [{"a": [1, None]}, {"b": [True, "x"]}],
    },
})  # fmt: skip
EVENT = Embedded({
    "id": "1", "source": "orders", "account": ACCOUNT, "region": REGION, "time": "2026-01-01T00:00:00Z",
    "detail-type": "placed", "resources": [], "detail": {"total": 5, "name": "ada", "a": 1},
})  # fmt: skip
FILTER_POLICY = Embedded({"kind": ["tea", {"prefix": "c"}, {"anything-but": ["x"]}], "total": [{"numeric": [">", 5]}]})
ATTRIBUTES = {
    "kind": {"DataType": "String", "StringValue": "tea"},
    "total": {"DataType": "Number.int", "StringValue": "12"},
    "raw": {"DataType": "Binary", "BinaryValue": "eHg="},
    "names": {"DataType": "String.Array", "StringValue": '["a", 1, null]'},
}
SQS_ATTRIBUTES = {name: ATTRIBUTES[name] for name in ("kind", "total", "raw")}
TRACE = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5e3d83c1-e6a0db584850d61342823d4c"}}
REDRIVE = Embedded({"deadLetterTargetArn": arn("sqs", "dlq"), "maxReceiveCount": "3"})
QUEUE_ATTRIBUTES = {
    "DelaySeconds": "0", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600", "VisibilityTimeout": "30",
    "ReceiveMessageWaitTimeSeconds": "0", "Policy": policy("sqs", "q", "SendMessage"), "RedrivePolicy": REDRIVE,
    "RedriveAllowPolicy": Embedded({"redrivePermission": "byQueue", "sourceQueueArns": [arn("sqs", "q")]}),
    "KmsMasterKeyId": "alias/k", "KmsDataKeyReusePeriodSeconds": "300",
}  # fmt: skip
TAGS = [{"Key": "team", "Value": "bar"}]
DELIVERY_POLICY = Embedded({
    "healthyRetryPolicy": {
        "minDelayTarget": 1, "maxDelayTarget": 2, "numRetries": 3, "numMaxDelayRetries": 1, "numMinDelayRetries": 1,
        "numNoDelayRetries": 1, "backoffFunction": "linear",
    },
    "throttlePolicy": {"maxReceivesPerSecond": 1}, "requestPolicy": {"headerContentType": "text/plain"},
})  # fmt: skip
TARGET = {
    "Id": "one", "Arn": arn("sqs", "q"), "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
    "DeadLetterConfig": {"Arn": arn("sqs", "dlq")},
    "InputTransformer": {"InputPathsMap": {"total": "$.detail.total", "id": "$.id"},
    "InputTemplate": '{"total": <total>, "id": <id>}'},
}  # fmt: skip
AUTH = {
    "ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"},
    "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "a", "Value": "b", "IsValueSecret": False}],
        "QueryStringParameters": [{"Key": "a", "Value": "b", "IsValueSecret": True}],
        "BodyParameters": [{"Key": "a", "Value": "b"}],
    },
}
TEMPLATE = Embedded({
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"Delay": {"Type": "Number", "Default": 5, "MinValue": 0, "MaxValue": 900}},
    "Conditions": {"Slow": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Delay"}, "0"]}]}},
    "Mappings": {"M": {"a": {"b": "c"}}},
    "Resources": {
        "Q": {"Type": "AWS::SQS::Queue", "Condition": "Slow", "Properties": {
            "DelaySeconds": {"Ref": "Delay"}, "Tags": [{"Key": "k", "Value": {"Fn::FindInMap": ["M", "a", "b"]}}]}},
        "T": {"Type": "AWS::SNS::Topic", "DependsOn": ["Q"], "Properties": {
            "Subscription": [{"Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Q", "Arn"]}}]}},
        "R": {"Type": "AWS::Events::Rule", "DeletionPolicy": "Delete", "Properties": {
            "EventPattern": {"source": ["s"]}, "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": "Q.Arn"}}]}},
    },
    "Outputs": {"Url": {"Value": {"Ref": "Q"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-url"}}}},
})  # fmt: skip

MEMBERS: dict[str, dict[str, Any]] = {
    "sqs": {
        "QueueUrl": QUEUE_URL, "QueueName": "new", "Label": "l", "AWSAccountIds": ["111111111111"],
        "Actions": ["SendMessage"],
        "TaskHandle": "$task", "ReceiptHandle": "$handle", "VisibilityTimeout": 30, "Attributes": QUEUE_ATTRIBUTES,
        "tags": {"team": "bar"}, "Tags": {"team": "bar"}, "TagKeys": ["team"], "AttributeNames": ["All"],
        "MaxResults": 5,
        "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["kind", "a.*"], "MaxNumberOfMessages": 2,
        "QueueOwnerAWSAccountId": ACCOUNT, "SourceArn": arn("sqs", "dlq"), "DestinationArn": arn("sqs", "q"),
        "MaxNumberOfMessagesPerSecond": 5, "QueueNamePrefix": "q", "WaitTimeSeconds": 0, "MessageBody": "tea",
        "DelaySeconds": 0, "MessageAttributes": SQS_ATTRIBUTES, "MessageSystemAttributes": TRACE,
    },
    "sns": {
        "TopicArn": arn("sns", "t"), "Label": "l", "AWSAccountId": ["111111111111"], "ActionName": ["Publish"],
        "phoneNumber": "+15550100", "Name": "new", "Platform": "GCM", "PlatformApplicationArn": "$application",
        "EndpointArn": "$endpoint", "SubscriptionArn": "$subscription", "ResourceArn": arn("sns", "t"), "Tags": TAGS,
        "TagKeys": ["team"], "Message": "tea", "Subject": "order", "MessageAttributes": ATTRIBUTES, "Protocol": "sqs",
        "Endpoint": arn("sqs", "q"), "ReturnSubscriptionArn": True, "attributes": {"DefaultSMSType": "Transactional"},
        "CustomUserData": "data", "Token": "$token",
    },
    "events": {
        "Description": "text", "EventSourceArn": arn("events", "event-bus/default"), "EventPattern": PATTERN,
        "RetentionDays": 3,
        "ConnectionArn": "$connection", "InvocationEndpoint": "https://api.example/orders/*", "HttpMethod": "POST",
        "InvocationRateLimitPerSecond": 10, "AuthorizationType": "API_KEY", "AuthParameters": AUTH,
        "ArchiveName": "kept",
        "ReplayName": "replayed", "Tags": TAGS, "TagKeys": ["team"], "Limit": 5, "NamePrefix": "r", "Rule": "r",
        "ResourceARN": arn("events", "rule/r"), "TargetArn": arn("sqs", "q"), "EventBusName": "default", "Ids": ["one"],
        "Targets": [TARGET], "State": "ENABLED", "Event": EVENT, "DeadLetterConfig": {"Arn": arn("sqs", "dlq")},
    },
    "lambda": {
        "UUID": "$mapping", "EventSourceArn": arn("sqs", "q"), "FunctionName": "barista", "Enabled": False,
        "BatchSize": 5,
        "FilterCriteria": {"Filters": [{"Pattern": Embedded({"body": {"total": [{"numeric": [">", 5]}]}})}]},
        "ScalingConfig": {"MaximumConcurrency": 5}, "MaximumBatchingWindowInSeconds": 1, "Tags": {"team": "bar"},
        "FunctionResponseTypes": ["ReportBatchItemFailures"], "TagKeys": ["team"], "Resource": "$mapping_arn",
        "MaxItems": 5,
    },
    "cloudformation": {
        "StackName": "s", "TemplateBody": TEMPLATE, "Parameters": [{"ParameterKey": "Delay", "ParameterValue": "6"}],
        "Capabilities": ["CAPABILITY_IAM"], "Tags": TAGS, "ClientRequestToken": "token", "ChangeSetName": "c",
        "LogicalResourceId": "Q", "EnableTerminationProtection": False, "StackStatusFilter": ["CREATE_COMPLETE"],
        "ExportName": "s-url", "Description": "text", "TimeoutInMinutes": 5,
    },
    "dynamodb": dynamodb_examples.MEMBERS,
}  # fmt: skip

_SEND_BATCH = {"Id": "a", "MessageBody": "tea", "MessageAttributes": SQS_ATTRIBUTES, "MessageSystemAttributes": TRACE}
_PUBLISH_BATCH = {"Id": "a", "Message": "tea", "Subject": "order", "MessageAttributes": ATTRIBUTES}
_PUT_EVENT = {
    "Source": "orders", "DetailType": "placed", "Detail": Embedded({"total": 5}), "EventBusName": "default",
    "Resources": ["arn:aws:x:::y"], "Time": 1_767_225_600, "TraceHeader": "Root=1-5e3d83c1-e6a0db584850d61342823d4c",
}  # fmt: skip

# What an action takes beside its members above; None leaves a member out.
ACTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "sqs": {
        "ChangeMessageVisibilityBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "$handle", "VisibilityTimeout": 3}]},
        "DeleteMessageBatch": {"Entries": [{"Id": "a", "ReceiptHandle": "$handle"}, {"Id": "b", "ReceiptHandle": "x"}]},
        "GetQueueUrl": {"QueueName": "q"},
        "ListDeadLetterSourceQueues": {"QueueUrl": f"http://localhost/{ACCOUNT}/dlq"},
        "RemovePermission": {"Label": "one"},
        "SendMessageBatch": {"Entries": [_SEND_BATCH, {**_SEND_BATCH, "Id": "b", "DelaySeconds": 5}]},
        "StartMessageMoveTask": {"SourceArn": arn("sqs", "dlq2")},
        "GetQueueAttributes": {"AttributeNames": ["QueueArn", "Policy"]},
    },
    "sns": {
        "CreatePlatformApplication": {"Attributes": {"PlatformCredential": "key"}},
        "CreatePlatformEndpoint": {"Token": "new", "Attributes": {"Enabled": "true"}},
        "CreateTopic": {"Attributes": {
            "DisplayName": "x", "Policy": policy("sns", "new", "Publish"), "DeliveryPolicy": Embedded({"http": {
                "defaultHealthyRetryPolicy": {"numRetries": 3}, "disableSubscriptionOverrides": False}}),
            "KmsMasterKeyId": "alias/k", "TracingConfig": "PassThrough", "SignatureVersion": "2"}},
        "Publish": {"TopicArn": arn("sns", "t")},
        "PublishBatch": {"PublishBatchRequestEntries": [_PUBLISH_BATCH, {**_PUBLISH_BATCH, "Id": "b"}]},
        "RemovePermission": {"Label": "one"},
        "SetEndpointAttributes": {"Attributes": {"Enabled": "false", "CustomUserData": "x"}},
        "SetPlatformApplicationAttributes": {"Attributes": {"SuccessFeedbackSampleRate": "5"}},
        "SetSubscriptionAttributes": {"AttributeName": "FilterPolicy", "AttributeValue": FILTER_POLICY},
        "SetTopicAttributes": {"AttributeName": "Policy", "AttributeValue": policy("sns", "t", "Publish")},
        "Subscribe": {"Endpoint": arn("sqs", "other"), "Attributes": {
            "FilterPolicy": FILTER_POLICY, "FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": "true",
            "RedrivePolicy": Embedded({"deadLetterTargetArn": arn("sqs", "dlq")})}},
        "GetSMSAttributes": {"attributes": ["DefaultSMSType"]},
    },
    "events": {
        "CreateApiDestination": {"Name": "new"}, "CreateArchive": {"ArchiveName": "new"},
        "CreateConnection": {"Name": "new"},
        "CreateEventBus": {"Name": "new"}, "DeauthorizeConnection": {"Name": "c"},
        "DeleteApiDestination": {"Name": "d"},
        "DeleteConnection": {"Name": "spare"}, "DeleteEventBus": {"Name": "b"}, "DescribeApiDestination": {"Name": "d"},
        "DeleteRule": {"Name": "spare"}, "DescribeConnection": {"Name": "c"}, "DescribeEventBus": {"Name": "b"},
        "DescribeRule": {"Name": "r"}, "DisableRule": {"Name": "r"}, "EnableRule": {"Name": "r"},
        "PutEvents": {"Entries": [_PUT_EVENT, _PUT_EVENT]},
        "PutPermission": {"Action": "events:PutEvents", "Principal": "111111111111", "StatementId": "two"},
        "PutRule": {"Name": "r"}, "RemovePermission": {"StatementId": "one"}, "UpdateApiDestination": {"Name": "d"},
        "UpdateConnection": {"Name": "c"}, "UpdateEventBus": {"Name": "b"}, "CancelReplay": {"ReplayName": "replayed"},
        "ListArchives": {"EventSourceArn": None, "NamePrefix": "k", "State": None},
        "ListReplays": {"EventSourceArn": None, "NamePrefix": None, "State": "COMPLETED"},
        "StartReplay": {
            "ReplayName": "new", "EventSourceArn": "$archive", "EventStartTime": 1_700_000_000,
            "EventEndTime": 1_700_000_001,
            "Destination": {"Arn": arn("events", "event-bus/default"), "FilterArns": [arn("events", "rule/r")]}},
    },
    "lambda": {"CreateEventSourceMapping": {"EventSourceArn": arn("sqs", "other")}},
    "cloudformation": {
        "CreateStack": {"StackName": "new"}, "CreateChangeSet": {"ChangeSetName": "new", "ClientRequestToken": None},
        "GetTemplate": {"ChangeSetName": None}, "GetTemplateSummary": {"StackName": None},
        "DescribeStackResources": {"LogicalResourceId": None}, "CancelUpdateStack": {"ClientRequestToken": "x"},
    },
    "dynamodb": dynamodb_examples.ACTIONS,
}  # fmt: skip
# A second valid request of an action whose members have another form.
ALTERNATIVES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "sqs": {
        "CreateQueue": [{"QueueName": "new.fifo", "Attributes": {
            "FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId"}}],
        "SendMessage": [{"QueueUrl": FIFO_URL, "MessageGroupId": "g", "MessageDeduplicationId": "d",
        "DelaySeconds": None}],
        "ReceiveMessage": [{"QueueUrl": FIFO_URL, "ReceiveRequestAttemptId": "attempt"}, {"WaitTimeSeconds": 20,
        "QueueUrl": f"http://localhost/{ACCOUNT}/dlq"}],
    },
    "sns": {
        "Publish": [
            {"MessageStructure": "json", "Message": Embedded({"default": "tea", "sqs": "t"})},
            {"TopicArn": arn("sns", "t.fifo"), "MessageGroupId": "g", "MessageDeduplicationId": "d"},
            {"TopicArn": None, "PhoneNumber": "+15550100", "Subject": None, "MessageAttributes": {
                "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Promotional"}}},
            {"TopicArn": None, "TargetArn": "$endpoint"},
        ],
        "CreateTopic": [{"Name": "new.fifo", "Attributes": {
            "FifoTopic": "true", "ContentBasedDeduplication": "false", "FifoThroughputScope": "MessageGroup",
            "ArchivePolicy": Embedded({"MessageRetentionPeriod": "30"})}}],
        "Subscribe": [
            {"Protocol": "https", "Endpoint": "https://127.0.0.1:9/hook",
            "Attributes": {"DeliveryPolicy": DELIVERY_POLICY}},
            {"Protocol": "email", "Endpoint": "ada@example.com", "Attributes": None},
        ],
        "SetTopicAttributes": [{"AttributeName": "DisplayName", "AttributeValue": "x"}],
        "SetSubscriptionAttributes": [
            {"AttributeName": "RawMessageDelivery", "AttributeValue": "true"},
            {"AttributeName": "RedrivePolicy", "AttributeValue": Embedded({"deadLetterTargetArn": arn("sqs", "dlq")})},
        ],
    },
    "events": {
        "PutRule": [{"Name": "ticking", "EventPattern": None, "ScheduleExpression": "cron(0/5 8 ? * MON-FRI *)"},
                    {"Name": "rated", "EventPattern": None, "ScheduleExpression": "rate(5 minutes)"}],
        "PutTargets": [
            {"Targets": [{"Id": "two", "Arn": arn("sqs", "q.fifo"), "SqsParameters": {"MessageGroupId": "g"},
            "InputPath": "$.detail"}]},
            {"Targets": [{"Id": "api", "Arn": "$destination", "RoleArn": "arn:aws:iam::000000000000:role/r",
            "HttpParameters": {
                "PathParameterValues": ["x"], "HeaderParameters": {"a": "b"}, "QueryStringParameters": {"a": "b"}}}]},
            {"Targets": [{"Id": "text", "Arn": arn("sns", "t"), "Input": Embedded({"a": 1})}]},
        ],
        "PutPermission": [{"Action": None, "Principal": None, "StatementId": None,
                           "Policy": policy("events", "event-bus/default", "PutEvents")},
                          {"Action": "events:PutEvents", "Principal": "*", "StatementId": "two", "Condition": {
                              "Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"}}],
        "CreateConnection": [
            {"Name": "basic", "AuthorizationType": "BASIC", "AuthParameters": {"BasicAuthParameters": {"Username": "a",
            "Password": "b"}}},
            {"Name": "oauth", "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS", "AuthParameters": {"OAuthParameters": {
                "ClientParameters": {"ClientID": "a", "ClientSecret": "b"},
                "AuthorizationEndpoint": "https://auth.example/",
                "HttpMethod": "POST"}}},
        ],
    },
    "cloudformation": {
        "UpdateStack": [{"TemplateBody": None, "UsePreviousTemplate": True}],
        "CreateChangeSet": [{"StackName": "fresh", "ChangeSetName": "new", "ChangeSetType": "CREATE"}],
    },
    "dynamodb": dynamodb_examples.ALTERNATIVES,
}  # fmt: skip
