#!/usr/bin/env bash
# Subject:     a retry of dramatiq on SQS that is due in more than 15 minutes
# Versions:    dramatiq 2.2.1, dramatiq_sqs 0.4.4, boto3 1.43.117, moto 5.2.5 as the queue
# Guess:       SQS delays a message by 15 minutes at most, so a later retry is shortened to that, or the message stays in the
#              queue or goes to the dead-letter queue (dead_letter=True).
# Behaviour:   the broker refuses the delay, the error of the retry is logged and dropped, and the message is acknowledged:
#              it is in neither queue. The usual back-off (15 s, doubled and jittered each time, up to seven days and 20
#              retries) passes 15 minutes at the sixth or seventh failure.
# Output seen: runs 1, in the queue 0, in the dead-letter queue 0
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/retry.py" <<'PY'
import time

import boto3
import dramatiq
from dramatiq_sqs import SQSBroker
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0)
server.start()
options = {
    "endpoint_url": "http://{}:{}".format(*server.get_host_and_port()),
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
broker = SQSBroker(dead_letter=True, **options)
dramatiq.set_broker(broker)
runs = []


@dramatiq.actor(min_backoff=30 * 60 * 1000)  # half an hour: later than SQS can delay a message
def report():
    runs.append("failed")
    raise RuntimeError("the printer is off")


report.send()
worker = dramatiq.Worker(broker, worker_timeout=1000, worker_threads=1)
worker.start()
sqs = boto3.client("sqs", **options)


def held(name):
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(value) for key, value in counts.items() if key.startswith("ApproximateNumberOfMessages"))


end = time.monotonic() + 30
while time.monotonic() < end and not (runs and held("default") == 0):
    time.sleep(0.2)
worker.stop()
print(f"runs {len(runs)}, in the queue {held('default')}, in the dead-letter queue {held('default_dlq')}", flush=True)
server.stop()
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dramatiq==2.2.1 dramatiq_sqs==0.4.4 boto3==1.43.117 'moto[server]==5.2.5'
seen=$("$folder/venv/bin/python" "$folder/retry.py" 2>/dev/null | grep '^runs')
echo "$seen"
[ "$seen" = "runs 1, in the queue 0, in the dead-letter queue 0" ]
