#!/usr/bin/env bash
# Subject:     the form of boto3's requests to CloudWatch
# Versions:    boto3 1.44.8 (botocore 1.44.8)
# Guess:       CBOR: the service model that botocore carries names "smithy-rpc-v2-cbor" as its protocol, and first in the
#              list of those that it may use.
# Behaviour:   JSON, as botocore prefers protocols in its own order; and from 10,240 bytes on PutMetricData is
#              compressed with gzip. A stub, a proxy that logs or a local engine works with a few data points, and fails
#              for the batch of a busy minute.
# Output seen: protocol smithy-rpc-v2-cbor / 1 datum: JSON, identity / 150 data: JSON, gzip
# Date:        2026-11-30
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8
cat > "$folder/check.py" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from botocore.config import Config

seen = []


class Recorder(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        kinds = {"application/cbor": "CBOR", "application/x-amz-json-1.0": "JSON"}
        kind = kinds.get(self.headers["Content-Type"], self.headers["Content-Type"])
        seen.append(f"{kind}, {self.headers.get('Content-Encoding', 'identity')}")
        self.send_response(400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()


cloudwatch = boto3.client(
    "cloudwatch",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(retries={"total_max_attempts": 1}),
)


def put(count):
    dimensions = [{"Name": "Queue", "Value": "orders"}, {"Name": "Region", "Value": "us-east-1"}]
    data = [{"MetricName": "Failed", "Dimensions": dimensions, "Value": 1.0, "Unit": "Count"}] * count
    try:
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    except Exception:
        pass
    return seen.pop()


model = cloudwatch.meta.service_model.metadata
print(f"protocol {model['protocol']} / 1 datum: {put(1)} / 150 data: {put(150)}")
PY
found=$("$folder/venv/bin/python" "$folder/check.py")
echo "$found"
[ "$found" = "protocol smithy-rpc-v2-cbor / 1 datum: JSON, identity / 150 data: JSON, gzip" ]
