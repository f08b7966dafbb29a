#!/usr/bin/env bash
# Subject:     Amazon's extended client for SQS in Python, when one dict of message attributes serves two messages
# Versions:    amazon-sqs-extended-client 1.0.1, boto3 1.43.117, moto 5.2.5 as queue and bucket
# Guess:       as with boto3, the attributes that are given stay as they were: a large message goes through S3, and a small one
#              sent afterwards with the same attributes is an ordinary message.
# Behaviour:   sending the large message writes ExtendedPayloadSize into the caller's dict. The small message carries it, too,
#              although its body is no pointer to S3: receive_message raises an error for it, and the other messages of the
#              same receive are in flight without having been returned.
# Output seen: attributes after the large message: ExtendedPayloadSize shop; receive: JSONDecodeError, 2 in flight
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/attributes.py" <<'PY'
import os

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0)
server.start()
os.environ.update(
    AWS_ENDPOINT_URL="http://{}:{}".format(*server.get_host_and_port()),
    AWS_DEFAULT_REGION="us-east-1",
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
)
import boto3
import sqs_extended_client  # noqa: F401 (it changes boto3's client)

boto3.client("s3").create_bucket(Bucket="payloads")
sqs = boto3.client("sqs")
sqs.large_payload_support = "payloads"
url = sqs.create_queue(QueueName="work")["QueueUrl"]
attributes = {"shop": {"DataType": "String", "StringValue": "Main Street"}}
sqs.send_message(QueueUrl=url, MessageBody="x" * 300_000, MessageAttributes=attributes)
print("attributes after the large message:", *sorted(attributes), end="; ")
sqs.send_message(QueueUrl=url, MessageBody="a small order", MessageAttributes=attributes)
try:
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    print("receive:", len(received["Messages"]), "messages", end=", ")
except Exception as exc:
    print("receive:", type(exc).__name__, end=", ")
counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
print(counts["ApproximateNumberOfMessagesNotVisible"], "in flight", flush=True)
server.stop()
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check amazon-sqs-extended-client==1.0.1 boto3==1.43.117 'moto[server]==5.2.5'
seen=$("$folder/venv/bin/python" "$folder/attributes.py" 2>/dev/null | grep '^attributes')
echo "$seen"
[ "$seen" = "attributes after the large message: ExtendedPayloadSize shop; receive: JSONDecodeError, 2 in flight" ]
