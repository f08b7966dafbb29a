#!/usr/bin/env bash
# Subject:     the MD5 digests of message bodies that SQS returns, in boto3
# Versions:    boto3 1.44.8 (botocore 1.44.8)
# Guess:       the client compares MD5OfMessageBody and MD5OfBody with the body: they exist for that.
# Behaviour:   a SendMessage answer and a received message whose digests are all zeros are returned as they are. A program
#              that wants to know that its messages were not damaged compares the digests itself.
# Output seen: sent: accepted  received: damaged body
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8
cat > "$folder/check.py" <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3

ZEROS = "0" * 32


class WrongDigests(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["X-Amz-Target"].endswith(".ReceiveMessage"):
            message = {"MessageId": "1", "ReceiptHandle": "r", "Body": "damaged body", "MD5OfBody": ZEROS}
            answer = {"Messages": [message]}
        else:
            answer = {"MessageId": "1", "MD5OfMessageBody": ZEROS}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), WrongDigests)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
sqs = boto3.client(
    "sqs", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
)
sent = sqs.send_message(QueueUrl=f"{url}/000000000000/work", MessageBody="hello")
received = sqs.receive_message(QueueUrl=f"{url}/000000000000/work")["Messages"][0]["Body"]
print(f"sent: {'accepted' if sent['MessageId'] else 'refused'}  received: {received}")
PY
seen=$("$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "sent: accepted  received: damaged body" ]
