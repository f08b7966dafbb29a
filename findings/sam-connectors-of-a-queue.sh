#!/usr/bin/env bash
# Subject:     two SAM connectors that let two SNS topics write to one SQS queue
# Versions:    aws-sam-translator 1.115.0
# Guess:       SAM gathers the permissions of one queue in one AWS::SQS::QueuePolicy, because a queue has a single policy.
# Behaviour:   it makes two of the same queue, each with one topic, and no order between them. Each of them sets the whole
#              Policy attribute of the queue, so the later one takes the permission of the other topic away. Two SNS
#              events of a function with SqsSubscription of one queue do the same. (The template is translated here, not
#              deployed; that a policy replaces the one before:
#              https://github.com/aws/serverless-application-model/discussions/3464)
# Output seen: connectors: 2 policies of Ref Work, each with 1 of 2 topics
#              SqsSubscription: 2 policies of Ref Work, each with 1 of 2 topics
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-sam-translator==1.115.0
cat > "$folder/check.py" <<'PY'
import json

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TOPICS = ("Orders", "Payments")
WORK = {"QueueUrl": {"Ref": "Work"}, "QueueArn": {"Fn::GetAtt": ["Work", "Arn"]}}


def show(name, resources):
    resources |= {"Work": {"Type": "AWS::SQS::Queue"}} | {topic: {"Type": "AWS::SNS::Topic"} for topic in TOPICS}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    translated = translator.translate(template, {})["Resources"].values()
    policies = [each["Properties"] for each in translated if each["Type"] == "AWS::SQS::QueuePolicy"]
    (queue,) = {each["Ref"] for policy in policies for each in policy["Queues"]}
    topics = [sum(topic in json.dumps(policy) for topic in TOPICS) for policy in policies]
    assert topics == [1] * len(policies), topics
    assert not any("DependsOn" in each for each in translated)
    print(f"{name}: {len(policies)} policies of Ref {queue}, each with 1 of 2 topics")


show(
    "connectors",
    {
        f"{topic}ToWork": {
            "Type": "AWS::Serverless::Connector",
            "Properties": {"Source": {"Id": topic}, "Destination": {"Id": "Work"}, "Permissions": ["Write"]},
        }
        for topic in TOPICS
    },
)
events = {each: {"Type": "SNS", "Properties": {"Topic": {"Ref": each}, "SqsSubscription": WORK}} for each in TOPICS}
function = {"Handler": "a.b", "Runtime": "python3.13", "InlineCode": "", "Role": "arn:aws:iam::111122223333:role/work"}
show("SqsSubscription", {"Worker": {"Type": "AWS::Serverless::Function", "Properties": function | {"Events": events}}})
PY
seen=$("$folder/venv/bin/python" "$folder/check.py" 2> /dev/null)
echo "$seen"
[ "$seen" = "connectors: 2 policies of Ref Work, each with 1 of 2 topics
SqsSubscription: 2 policies of Ref Work, each with 1 of 2 topics" ]
