#!/usr/bin/env bash
# Subject:     the deduplication interval of a FIFO queue after its message was deleted, in moto
# Versions:    moto 5.2.5, boto3 1.44.8
# Guess:       a second message with the same MessageDeduplicationId within five minutes is accepted and not delivered, also
#              if the first was received and deleted, as AWS documents:
#              https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
# Behaviour:   while the first message exists the second is withheld; once it is deleted the same id is delivered again.
#              A test of a producer that retries after its consumer was quick sees a duplicate that AWS would not deliver.
# Output seen: before deletion: 1 message, after deletion: 1 more
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[sqs]==5.2.5' boto3==1.44.8
cat > "$folder/check.py" <<'PY'
import os

import boto3
from moto import mock_aws

os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
with mock_aws():
    sqs = boto3.client("sqs", "us-east-1")
    url = sqs.create_queue(QueueName="work.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send():
        sqs.send_message(QueueUrl=url, MessageBody="order", MessageGroupId="ada", MessageDeduplicationId="1")

    send()
    send()
    before = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    for message in before:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    send()
    after = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    print(f"before deletion: {len(before)} message, after deletion: {len(after)} more")
PY
seen=$("$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "before deletion: 1 message, after deletion: 1 more" ]
