#!/usr/bin/env bash
# Subject:     RestoreTableToPointInTime in moto and MiniStack
# Versions:    moto 5.2.5, ministack 1.5.33, boto3 1.43.106
# Guess:       the restored table has the items of the time that was asked for, and a time before point-in-time recovery was
#              enabled is refused (InvalidRestoreTimeException):
#              https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
# Behaviour:   both copy the table as it is now, whatever the time. A test that damages a row, restores the table to a time
#              before and looks at the row fails, and one that only counts rows passes with any time, years ago too.
# Output seen: moto damaged damaged ministack damaged damaged
# Date:        2026-11-30
set -euo pipefail
folder=$(mktemp -d)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "moto[dynamodb]==5.2.5" ministack==1.5.33 boto3==1.43.106
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
GATEWAY_PORT=$port HOME=$folder "$folder/venv/bin/ministack" > "$folder/log" 2>&1 &
trap 'kill $!; wait $! || true; rm -rf "$folder"' EXIT
cat > "$folder/check.py" <<'PY'
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from moto import mock_aws


def restored(client):
    """Return the restored row of two times: before it was damaged, and before point-in-time recovery was enabled."""
    key = [{"AttributeName": "id", "AttributeType": "S"}]
    client.create_table(
        TableName="orders",
        AttributeDefinitions=key,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    client.put_item(TableName="orders", Item={"id": {"S": "1"}, "total": {"S": "good"}})
    time.sleep(2)
    good = datetime.now(timezone.utc)
    time.sleep(2)
    client.put_item(TableName="orders", Item={"id": {"S": "1"}, "total": {"S": "damaged"}})
    found = []
    for number, at in enumerate((good, good - timedelta(days=1000))):
        name = f"orders-{number}"
        client.restore_table_to_point_in_time(SourceTableName="orders", TargetTableName=name, RestoreDateTime=at)
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        found.append(client.get_item(TableName=name, Key={"id": {"S": "1"}})["Item"]["total"]["S"])
    return found


given = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
with mock_aws():
    moto = restored(boto3.client("dynamodb", **given))
ministack = restored(
    boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
        config=Config(retries={"total_max_attempts": 10, "mode": "standard"}),
        **given,
    )
)
print("moto", *moto, "ministack", *ministack)
sys.exit([*moto, *ministack] != ["damaged"] * 4)
PY
"$folder/venv/bin/python" "$folder/check.py" "$port"
