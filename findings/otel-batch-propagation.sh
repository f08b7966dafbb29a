#!/usr/bin/env bash
# Subject:     trace context in messages that are sent with the AWS SDKs under OpenTelemetry's instrumentation
# Versions:    @opentelemetry/instrumentation-aws-sdk 0.78.0 with @aws-sdk/client-sns 3.1169.0, client-sqs 3.1175.0; for Python,
#              opentelemetry-instrumentation-botocore 0.66b2 with boto3 1.44.8
# Guess:       both put a traceparent into the attributes of every message that goes to SNS or SQS, one by one or in a
#              batch: the same specification, and the batch is the cheaper call of the same kind.
# Behaviour:   each has another hole. JavaScript's adds it for Publish, SendMessage and each entry of SendMessageBatch,
#              and for no entry of PublishBatch. Python's adds it for Publish and each entry of PublishBatch, and for
#              nothing that goes to SQS, which takes a second package (instrumentation-boto3sqs). A trace ends without
#              a word where a Node service starts to publish in batches.
# Output seen: javascript: Publish 1 of 1, PublishBatch 0 of 2, SendMessage 1 of 1, SendMessageBatch 2 of 2 / python:
#              Publish 1 of 1, PublishBatch 2 of 2, SendMessage 0 of 1, SendMessageBatch 0 of 2
# Date:        2026-11-30
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/calls.cjs" <<'JS'
const http = require("http");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { AwsInstrumentation } = require("@opentelemetry/instrumentation-aws-sdk");
new NodeTracerProvider().register();
new AwsInstrumentation();
const { SNSClient, PublishCommand, PublishBatchCommand } = require("@aws-sdk/client-sns");
const { SQSClient, SendMessageCommand, SendMessageBatchCommand } = require("@aws-sdk/client-sqs");

let body = "";
const server = http.createServer((request, response) => {
  body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => response.end(request.headers["x-amz-target"] ? "{}" : "<Answer/>"));
});
server.listen(0, "127.0.0.1", async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  const options = { region: "us-east-1", endpoint, credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const sns = new SNSClient(options);
  const sqs = new SQSClient({ ...options, md5: false });
  const TopicArn = "arn:aws:sns:us-east-1:123456789012:topic";
  const QueueUrl = `${endpoint}/123456789012/queue`;
  const entries = (name) => ["1", "2"].map((Id) => ({ Id, [name]: "hello" }));
  const calls = [
    ["Publish", 1, sns, new PublishCommand({ TopicArn, Message: "hello" })],
    ["PublishBatch", 2, sns, new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: entries("Message") })],
    ["SendMessage", 1, sqs, new SendMessageCommand({ QueueUrl, MessageBody: "hello" })],
    ["SendMessageBatch", 2, sqs, new SendMessageBatchCommand({ QueueUrl, Entries: entries("MessageBody") })],
  ];
  const seen = [];
  for (const [name, of, client, command] of calls) {
    await client.send(command).catch(() => {}); // the answer is empty; only the request counts
    seen.push(`${name} ${(body.match(/traceparent/g) ?? []).length} of ${of}`);
  }
  console.log(`javascript: ${seen.join(", ")}`);
  process.exit();
});
JS
cat > "$folder/calls.py" <<'PY'
import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from opentelemetry import trace
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
BotocoreInstrumentor().instrument()
bodies = [b""]


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        answer = b"{}" if "X-Amz-Target" in self.headers else b"<Answer/>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = {
    "endpoint_url": f"http://127.0.0.1:{server.server_port}",
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
sns, sqs = boto3.client("sns", **options), boto3.client("sqs", **options)
topic = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:topic"}
queue = {"QueueUrl": f"{options['endpoint_url']}/123456789012/queue"}
entries = [{"Id": "1"}, {"Id": "2"}]
calls = [
    ("Publish", 1, lambda: sns.publish(**topic, Message="hello")),
    (
        "PublishBatch",
        2,
        lambda: sns.publish_batch(**topic, PublishBatchRequestEntries=[{**each, "Message": "hello"} for each in entries]),
    ),
    ("SendMessage", 1, lambda: sqs.send_message(**queue, MessageBody="hello")),
    (
        "SendMessageBatch",
        2,
        lambda: sqs.send_message_batch(**queue, Entries=[{**each, "MessageBody": "hello"} for each in entries]),
    ),
]
seen = []
for name, of, call in calls:
    with contextlib.suppress(Exception):  # the answer is empty; only the request counts
        call()
    seen.append(f"{name} {bodies[-1].count(b'traceparent')} of {of}")
print("python:", ", ".join(seen))
PY
(
  cd "$folder"
  npm init --yes > /dev/null
  npm install --silent --no-audit --no-fund --ignore-scripts @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-node@2.12.1 \
    @opentelemetry/instrumentation-aws-sdk@0.78.0 @aws-sdk/client-sns@3.1169.0 @aws-sdk/client-sqs@3.1175.0
)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 opentelemetry-sdk==1.45.2 \
  opentelemetry-instrumentation-botocore==0.66b2
seen="$(cd "$folder" && node calls.cjs 2> /dev/null) / $("$folder/venv/bin/python" "$folder/calls.py")"
echo "$seen"
javascript="javascript: Publish 1 of 1, PublishBatch 0 of 2, SendMessage 1 of 1, SendMessageBatch 2 of 2"
python="python: Publish 1 of 1, PublishBatch 2 of 2, SendMessage 0 of 1, SendMessageBatch 0 of 2"
[ "$seen" = "$javascript / $python" ]
