#!/usr/bin/env bash
# Subject:     the consumer spans of OpenTelemetry's instrumentation of SQS with boto3
# Versions:    opentelemetry-instrumentation-boto3sqs 0.66b1, opentelemetry-sdk 1.45.1; boto3 1.44.8; moto 5.2.5 as the
#              queue
# Guess:       each received message has a span, which ends when the program goes on to the next message, and a failed
#              one can be seen in the trace.
# Behaviour:   a message's span ends only when this client deletes the message. One whose work fails is not deleted, so
#              that SQS delivers it again; its span is never exported, and stays in a dictionary of the instrumentor for
#              good. Of five failed receives nothing is seen, and five spans are kept in memory.
# Output seen: deleted: 1 of 1 exported / failed 5 times: 0 of 5 exported, 5 kept
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/consumer.py" <<'PY'
import boto3
from moto import mock_aws
from opentelemetry import trace
from opentelemetry.instrumentation.boto3sqs import Boto3SQSInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
Boto3SQSInstrumentor().instrument()


def exported():
    return sum(span.name.endswith(" process") for span in exporter.get_finished_spans())


@mock_aws
def main():
    sqs = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]

    sqs.send_message(QueueUrl=url, MessageBody="good")
    for message in sqs.receive_message(QueueUrl=url)["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    print(f"deleted: {exported()} of 1 exported")

    exporter.clear()
    sqs.send_message(QueueUrl=url, MessageBody="bad")
    received = 0
    while received < 5:
        for _message in sqs.receive_message(QueueUrl=url).get("Messages", []):
            received += 1  # the work fails here: the message is left to its visibility timeout
    kept = len(Boto3SQSInstrumentor.received_messages_spans)
    print(f"failed 5 times: {exported()} of {received} exported, {kept} kept")


main()
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 moto==5.2.5 opentelemetry-sdk==1.45.1 \
  opentelemetry-instrumentation-boto3sqs==0.66b1
seen=$("$folder/venv/bin/python" "$folder/consumer.py" | paste -sd/ | sed 's,/, / ,g')
echo "$seen"
[ "$seen" = "deleted: 1 of 1 exported / failed 5 times: 0 of 5 exported, 5 kept" ]
