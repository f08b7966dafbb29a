#!/usr/bin/env bash
# Subject:     content-based deduplication of a FIFO queue that is filled through kombu (Celery's transport)
# Versions:    kombu 5.7.0, boto3 1.43.117, moto 5.2.5 as the queue
# Guess:       kombu leaves the deduplication id to a queue with ContentBasedDeduplication, so the same body sent twice within
#              five minutes is one message.
# Behaviour:   kombu gives each message a random MessageDeduplicationId unless its properties hold one, and an id that is
#              given comes before the content: nothing is ever a duplicate. (Its bodies differ anyway: each has a delivery tag.)
#              The MessageGroupId is `default` for all, so one failing task holds up the whole queue.
# Output seen: boto3 1, kombu 2, groups default
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/twice.py" <<'PY'
import boto3
from kombu import Connection
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0)
server.start()
host, port = server.get_host_and_port()
sqs = boto3.client(
    "sqs",
    endpoint_url=f"http://{host}:{port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)


def fifo(name):
    return sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]


def received(url):
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages", [])


plain, through_kombu = fifo("plain.fifo"), fifo("kombu.fifo")
for _ in range(2):
    sqs.send_message(QueueUrl=plain, MessageBody="one order", MessageGroupId="default")
options = {"is_secure": False, "region": "us-east-1"}
with Connection(f"sqs://test:test@{host}:{port}", transport_options=options) as connection:
    for _ in range(2):
        connection.SimpleQueue("kombu.fifo").put("one order")
messages = received(through_kombu)
groups = {message["Attributes"]["MessageGroupId"] for message in messages}
print(f"boto3 {len(received(plain))}, kombu {len(messages)}, groups {' '.join(groups)}", flush=True)
server.stop()
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'kombu[sqs]==5.7.0' boto3==1.43.117 'moto[server]==5.2.5'
seen=$("$folder/venv/bin/python" "$folder/twice.py" 2>/dev/null | grep '^boto3')
echo "$seen"
[ "$seen" = "boto3 1, kombu 2, groups default" ]
