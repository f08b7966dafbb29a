#!/usr/bin/env bash
# Subject:     the data that a CloudWatch alarm looks at, in MiniStack
# Versions:    ministack 1.5.33, boto3 1.43.106
# Guess:       an alarm looks at the metric with exactly its dimensions, and compares the statistic of each period with the
#              threshold: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
# Behaviour:   it adds up all metrics of that name, and all periods. Failures of the queue `orders` set off the alarms of
#              `payments` too, though GetMetricStatistics finds nothing there; and 6 failures a minute set off an alarm on
#              more than 10 a minute in 3 minutes of 3. A test that proves its alarm goes off proves little.
# Output seen: orders ALARM, payments ALARM (0 datapoints), 6 a minute ALARM (sums 6, 6, 6)
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33 boto3==1.43.106
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
GATEWAY_PORT=$port HOME=$folder "$folder/venv/bin/ministack" > "$folder/log" 2>&1 &
trap 'kill $!; wait $! || true; rm -rf "$folder"' EXIT
cat > "$folder/check.py" <<'PY'
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

cloudwatch = boto3.client(
    "cloudwatch",
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(retries={"total_max_attempts": 10, "mode": "standard"}),
)
now = datetime.now(timezone.utc)


def metric(queue):
    return {"MetricName": "Failed", "Dimensions": [{"Name": "Queue", "Value": queue}]}


def alarm(name, namespace, queue, periods):
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        **metric(queue),
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=periods,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
    )


def sums(namespace, queue):
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        **metric(queue),
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return [f"{point['Sum']:g}" for point in points]


alarm("orders", "Shop", "orders", 1)
alarm("payments", "Shop", "payments", 1)
cloudwatch.put_metric_data(Namespace="Shop", MetricData=[metric("orders") | {"Value": 50}])
alarm("steady", "Steady", "orders", 3)
minutes = [now - timedelta(seconds=seconds) for seconds in (10, 70, 130)]
data = [metric("orders") | {"Value": 6, "Timestamp": minute} for minute in minutes]
cloudwatch.put_metric_data(Namespace="Steady", MetricData=data)
deadline = time.monotonic() + 20
while True:
    state = {each["AlarmName"]: each["StateValue"] for each in cloudwatch.describe_alarms()["MetricAlarms"]}
    if "INSUFFICIENT_DATA" not in state.values() or time.monotonic() > deadline:
        break
    time.sleep(0.5)
print(
    f"orders {state['orders']}, payments {state['payments']} ({len(sums('Shop', 'payments'))} datapoints),"
    f" 6 a minute {state['steady']} (sums {', '.join(sums('Steady', 'orders'))})"
)
PY
for _ in $(seq 120); do grep -q "Running on" "$folder/log" && break; sleep 0.5; done
seen=$("$folder/venv/bin/python" "$folder/check.py" "$port")
echo "$seen"
[ "$seen" = "orders ALARM, payments ALARM (0 datapoints), 6 a minute ALARM (sums 6, 6, 6)" ]
