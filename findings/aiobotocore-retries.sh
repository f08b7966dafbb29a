#!/usr/bin/env bash
# Subject:     default retries of aiobotocore and of boto3, for the same call to the same server
# Versions:    aiobotocore 3.10.0 (it pins botocore 1.43.117); boto3 1.44.8 (botocore 1.44.8)
# Guess:       aiobotocore mirrors botocore, so without settings both send a failing request equally often.
# Behaviour:   a server that answers 500 gets 5 requests from aiobotocore (mode "legacy") and 3 from boto3 (mode
#              "standard"): botocore changed its default between the two releases, and aiobotocore stays behind it.
#              A program that uses both has two retry policies until it sets one.
# Output seen: aiobotocore legacy 5 / boto3 standard 3
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/server.py" <<'PY'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

requests = []


class Failing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.path)
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
OPTIONS = {
    "endpoint_url": f"http://127.0.0.1:{server.server_port}",
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
PY
cat > "$folder/with_aiobotocore.py" <<'PY'
import asyncio

import server
from aiobotocore.session import get_session


async def main():
    async with get_session().create_client("sqs", **server.OPTIONS) as client:
        try:
            await client.list_queues()
        except Exception:
            pass
        print("aiobotocore", client.meta.config.retries["mode"], len(server.requests))


asyncio.run(main())
PY
cat > "$folder/with_boto3.py" <<'PY'
import boto3
import server

client = boto3.client("sqs", **server.OPTIONS)
try:
    client.list_queues()
except Exception:
    pass
print("boto3", client.meta.config.retries["mode"], len(server.requests))
PY
for package in aiobotocore==3.10.0 boto3==1.44.8; do
  name=${package%%==*}
  python3 -m venv "$folder/$name"
  "$folder/$name/bin/pip" install --quiet --disable-pip-version-check "$package"
done
seen="$("$folder/aiobotocore/bin/python" "$folder/with_aiobotocore.py") / $("$folder/boto3/bin/python" "$folder/with_boto3.py")"
echo "$seen"
[ "$seen" = "aiobotocore legacy 5 / boto3 standard 3" ]
