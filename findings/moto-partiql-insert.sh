#!/usr/bin/env bash
# Subject:     a PartiQL INSERT of a key that exists, in moto
# Versions:    moto 5.2.5, boto3 1.44.8
# Guess:       ExecuteStatement fails with DuplicateItemException and BatchExecuteStatement answers DuplicateItem for that
#              statement, as AWS documents: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
# Behaviour:   both answer as if the row were new and replace it. A worker that relies on INSERT for idempotency passes its
#              tests while it overwrites.
# Output seen: batch: no error, row: second  single: no error, row: third
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[dynamodb]==5.2.5' boto3==1.44.8
cat > "$folder/check.py" <<'PY'
import os

import boto3
from moto import mock_aws

os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def insert(value):
    return f"""INSERT INTO "orders" VALUE {{'id': '1', 'status': '{value}'}}"""


def row():
    return table.get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]["status"]["S"]


with mock_aws():
    table = boto3.client("dynamodb", "us-east-1")
    table.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.execute_statement(Statement=insert("first"))
    (answer,) = table.batch_execute_statement(Statements=[{"Statement": insert("second")}])["Responses"]
    batch = f"batch: {answer.get('Error', 'no error')}, row: {row()}"
    try:
        table.execute_statement(Statement=insert("third"))
        error = "no error"
    except Exception as exc:
        error = type(exc).__name__
    print(f"{batch}  single: {error}, row: {row()}")
PY
seen=$("$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "batch: no error, row: second  single: no error, row: third" ]
