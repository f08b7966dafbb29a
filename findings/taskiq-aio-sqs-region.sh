#!/usr/bin/env bash
# Subject:     the region of the SQS broker of taskiq-aio-sqs, which is built on aiobotocore
# Versions:    taskiq-aio-sqs 2.1.1
# Guess:       as with every AWS client, AWS_REGION, AWS_DEFAULT_REGION and the profile decide where nothing else is given.
# Behaviour:   the broker gives each client us-east-1 unless it has region_name itself, while it takes the endpoint and the
#              credentials from the environment. In another region it reports that the queue does not exist.
# Output seen: environment: eu-west-1, broker: us-east-1
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check taskiq-aio-sqs==2.1.1 taskiq==0.13.0 aiobotocore==2.25.1
cat > "$folder/check.py" <<'PY'
import asyncio
from http.server import BaseHTTPRequestHandler, HTTPServer
import re
import threading

from taskiq_aio_sqs import SQSBroker

signed_for = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        signed_for.append(re.search(r"Credential=[^/]+/\d+/([^/]+)/", self.headers["Authorization"])[1])
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"QueueUrl": "http://127.0.0.1/111122223333/q"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def main():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    broker = SQSBroker("q", endpoint_url=f"http://127.0.0.1:{server.server_port}")
    await broker.startup()
    await broker.shutdown()


asyncio.run(main())
print(f"environment: eu-west-1, broker: {signed_for[0]}")
PY
export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
seen=$(env -u AWS_ENDPOINT_URL "$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "environment: eu-west-1, broker: us-east-1" ]
