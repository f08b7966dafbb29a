#!/usr/bin/env bash
# Subject:     arguments of Session().client() in localstack-client, which stands in for boto3.session.Session
# Versions:    localstack-client 2.12, boto3 1.44.8
# Guess:       as in boto3, what one client is given (region_name, endpoint_url) goes before what the session has.
# Behaviour:   both arguments are dropped without a word: the client is of the session's region and speaks to the
#              session's endpoint. A test of two regions runs in one.
# Output seen: us-east-1 http://localhost:4566
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check localstack-client==2.12 boto3==1.44.8
cat > "$folder/check.py" <<'PY'
from localstack_client.session import Session

client = Session().client("sqs", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9999")
print(client.meta.region_name, client.meta.endpoint_url)
PY
seen=$(env -u AWS_ENDPOINT_URL -u LOCALSTACK_HOST "$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "us-east-1 http://localhost:4566" ]
