#!/usr/bin/env bash
# Subject:     the batch writers of boto3 and PynamoDB when the block that they belong to raises
# Versions:    boto3 1.44.8; PynamoDB 6.1.0; moto 5.2.5 as the table
# Guess:       as with a transaction or a file that is replaced on success, an exception in the `with` block drops what
#              is still in the buffer: nothing has been sent yet, and the caller knows that the work is not done.
# Behaviour:   both send the buffer on the way out of the block, exception or not. Two items (boto3) and one (PynamoDB)
#              that were put before the exception are in the table. PynamoDB's TransactWrite, in the same release,
#              writes nothing. An import that stops at a bad row leaves all rows before it behind.
# Output seen: boto3 batch_writer wrote 2 of 2 / pynamodb batch_write wrote 1 of 1 / pynamodb TransactWrite wrote 0 of 1
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/writers.py" <<'PY'
import contextlib

import boto3
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class BadRow(Exception):
    pass


class Item(Model):
    class Meta:
        table_name = "items"
        region = "us-east-1"
        aws_access_key_id = "test"
        aws_secret_access_key = "test"

    key = UnicodeAttribute(hash_key=True, attr_name="k")


@mock_aws
def main():
    table = boto3.resource("dynamodb", region_name="us-east-1", **KEYS).create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def written(name, put, of):
        before = table.scan()["Count"]
        with contextlib.suppress(BadRow):
            put()
        print(f"{name} wrote {table.scan()['Count'] - before} of {of}")

    def with_boto3():
        with table.batch_writer() as writer:
            writer.put_item(Item={"k": "boto3-1"})
            writer.put_item(Item={"k": "boto3-2"})
            raise BadRow

    def with_pynamodb():
        with Item.batch_write() as writer:
            writer.save(Item("pynamodb"))
            raise BadRow

    def in_a_transaction():
        connection = Connection(region="us-east-1")
        connection.session.set_credentials(*KEYS.values())
        with TransactWrite(connection=connection) as transaction:
            transaction.save(Item("transaction"))
            raise BadRow

    written("boto3 batch_writer", with_boto3, 2)
    written("pynamodb batch_write", with_pynamodb, 1)
    written("pynamodb TransactWrite", in_a_transaction, 1)


main()
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 pynamodb==6.1.0 moto==5.2.5
seen=$("$folder/venv/bin/python" "$folder/writers.py" | paste -sd/ | sed 's,/, / ,g')
echo "$seen"
[ "$seen" = "boto3 batch_writer wrote 2 of 2 / pynamodb batch_write wrote 1 of 1 / pynamodb TransactWrite wrote 0 of 1" ]
