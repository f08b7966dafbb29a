#!/usr/bin/env bash
# Subject:     the URL of a queue in another region, sent to by boto3 and by the AWS SDK for JavaScript
# Versions:    boto3 1.43.106, @aws-sdk/client-sqs 3.1169.0
# Guess:       the SDKs agree: a queue's URL is its address, and the request goes there.
# Behaviour:   boto3 ignores the URL's host: it asks the endpoint of its client's region, which does not know the queue.
#              The JavaScript SDK asks the URL's host, unless its client has an endpoint of its own, and signs for its
#              client's region. The same holds for a queue URL with the host of a local engine: JavaScript reaches the
#              engine with it, boto3 goes to AWS. (Both requests are stopped before they are sent.)
# Output seen: boto3: sqs.us-east-1.amazonaws.com signed for us-east-1
#              JavaScript: sqs.eu-west-1.amazonaws.com signed for us-east-1
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test HOME=$folder
export QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/work
unset AWS_ENDPOINT_URL AWS_ENDPOINT_URL_SQS
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check boto3==1.43.106 botocore==1.43.106
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @aws-sdk/client-sqs@3.1169.0
cat > send.py <<'PY'
import os
import sys
from urllib.parse import urlsplit

import boto3


def stop(request, **_):
    region = request.headers["Authorization"].decode().split("/")[2]
    print(f"boto3: {urlsplit(request.url).hostname} signed for {region}")
    sys.exit()


sqs = boto3.client("sqs", region_name="us-east-1")
sqs.meta.events.register("before-send.sqs", stop)
sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="order")
PY
cat > send.js <<'JS'
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

const requestHandler = {
  metadata: { handlerProtocol: "http/1.1" },
  async handle(request) {
    console.log(`JavaScript: ${request.hostname} signed for ${request.headers.authorization.split("/")[2]}`);
    process.exit();
  },
};
const sqs = new SQSClient({ region: "us-east-1", requestHandler });
sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: "order" }));
JS
seen=$(venv/bin/python send.py; node send.js)
echo "$seen"
[ "$seen" = "boto3: sqs.us-east-1.amazonaws.com signed for us-east-1
JavaScript: sqs.eu-west-1.amazonaws.com signed for us-east-1" ]
