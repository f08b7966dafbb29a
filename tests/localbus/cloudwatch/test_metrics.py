"""PutMetricData, GetMetricData, GetMetricStatistics and ListMetrics.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html and its neighbours
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import httpx
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from localbus.clock import FIXED_START
from localbus.pytest_plugin import Localbus

NOW = datetime.fromtimestamp(FIXED_START, UTC)
MINUTE = NOW.replace(second=0)
RANGE = {"StartTime": MINUTE, "EndTime": MINUTE + timedelta(minutes=2)}
ORDERS: dict[str, Any] = {"Namespace": "shop", "MetricName": "orders"}


def put(cloudwatch: Any, *data: dict[str, Any]) -> None:
    """Publish data points of the metric `orders`."""
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "orders", **each} for each in data])


def statistics(cloudwatch: Any, *names: str, **given: Any) -> dict[str, Any]:
    """Return the one data point of `orders` in the range."""
    extended = [name for name in names if name.startswith("p")]
    wanted = {"Statistics": [name for name in names if name not in extended], "ExtendedStatistics": extended}
    wanted = {name: value for name, value in wanted.items() if value}
    points = cloudwatch.get_metric_statistics(**ORDERS, **RANGE, Period=60, **wanted, **given)["Datapoints"]
    assert len(points) == 1
    return dict(points[0])


def test_values_statistics_and_units(cloudwatch: Any) -> None:
    """Values, values with counts and statistic sets of a minute are one data point with all statistics."""
    put(
        cloudwatch,
        {"Value": 5, "Unit": "Count"},
        {"Values": [1, 9], "Counts": [3, 1], "Unit": "Count"},
        {"StatisticValues": {"SampleCount": 2, "Sum": 20, "Minimum": 10, "Maximum": 10}, "Unit": "Count"},
    )

    found = statistics(cloudwatch, "SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p99", Unit="Count")

    assert found["Timestamp"] == MINUTE
    assert [found[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")] == [7, 37, 1, 10]
    assert found["Average"] == pytest.approx(37 / 7)
    assert found["ExtendedStatistics"] == {"p50": 5, "p99": 10}


def test_dimensions_are_a_part_of_the_metric(cloudwatch: Any) -> None:
    """The same name with other dimensions is another metric; the order of dimensions does not count."""
    size, milk = {"Name": "size", "Value": "L"}, {"Name": "milk", "Value": "oat"}
    put(cloudwatch, {"Value": 1}, {"Value": 2, "Dimensions": [size, milk]}, {"Value": 4, "Dimensions": [milk, size]})

    assert statistics(cloudwatch, "Sum")["Sum"] == 1
    assert statistics(cloudwatch, "Sum", Dimensions=[size, milk])["Sum"] == 6
    listed = cloudwatch.list_metrics(Dimensions=[{"Name": "size"}])["Metrics"]
    assert listed == [{**ORDERS, "Dimensions": [milk, size]}]


def test_queries_and_expressions(cloudwatch: Any) -> None:
    """GetMetricData returns metrics and expressions over them, by period, newest first unless asked otherwise."""
    put(cloudwatch, {"Value": 4}, {"Value": 6, "Timestamp": NOW + timedelta(minutes=1)})
    stat = {"Metric": ORDERS, "Period": 60, "Stat": "Sum"}
    queries = [{"Id": "m1", "MetricStat": stat}, {"Id": "e1", "Expression": "m1 / 2", "Label": "half"}]

    newest = cloudwatch.get_metric_data(MetricDataQueries=queries, **RANGE)["MetricDataResults"]
    oldest = cloudwatch.get_metric_data(MetricDataQueries=queries[:1], **RANGE, ScanBy="TimestampAscending")

    assert [(each["Id"], each["Label"], each["Values"]) for each in newest] == [
        ("m1", "orders", [6, 4]),
        ("e1", "half", [3, 2]),
    ]
    assert oldest["MetricDataResults"][0]["Values"] == [4, 6]
    assert oldest["MetricDataResults"][0]["Timestamps"] == [MINUTE, MINUTE + timedelta(minutes=1)]


def test_a_range_of_many_years(cloudwatch: Any) -> None:
    """A range or a period without end is answered at once, with the data that there is."""
    put(cloudwatch, {"Value": 4})
    stat = {"Metric": ORDERS, "Period": 60, "Stat": "Sum"}
    given = {"StartTime": datetime(1970, 1, 1, tzinfo=UTC), "EndTime": datetime(2100, 1, 1, tzinfo=UTC)}

    found = cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "m1", "MetricStat": stat}], **given)
    whole = cloudwatch.get_metric_statistics(**ORDERS, **given, Period=2**31 - 8, Statistics=["Sum"])["Datapoints"]

    assert found["MetricDataResults"][0]["Values"] == [4]
    assert [each["Sum"] for each in whole] == [4]


def test_expressions_that_refer_to_each_other(cloudwatch: Any) -> None:
    """A circle of expressions, and a chain of too many, are refused; an alarm on a circle is not created."""
    metric = {"Id": "m", "MetricStat": {"Metric": ORDERS, "Period": 60, "Stat": "Sum"}, "ReturnData": False}
    circle = [{"Id": "a", "Expression": "b + 1"}, {"Id": "b", "Expression": "a + m", "ReturnData": False}, metric]
    chain = [{"Id": f"e{number}", "Expression": f"e{number + 1} + 1"} for number in range(60)]

    with pytest.raises(ClientError, match="The expressions a, b refer to themselves"):
        cloudwatch.get_metric_data(MetricDataQueries=circle, **RANGE)
    with pytest.raises(ClientError, match="through more than 50"):
        cloudwatch.get_metric_data(MetricDataQueries=[*chain, {**metric, "Id": "e60"}], **RANGE)
    comparison = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    with pytest.raises(ClientError, match="The expressions a, b refer to themselves"):
        cloudwatch.put_metric_alarm(AlarmName="circle", Metrics=circle, **comparison)


def test_seconds(cloudwatch: Any) -> None:
    """A metric of high resolution has data by the second, another one by the minute only."""
    put(cloudwatch, {"Value": 1, "StorageResolution": 1})
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "slow", "Value": 1}])
    given = {"Namespace": "shop", **RANGE, "Period": 1, "Statistics": ["Sum"]}

    fast = cloudwatch.get_metric_statistics(MetricName="orders", **given)["Datapoints"]

    assert [each["Timestamp"] for each in fast] == [NOW]
    assert cloudwatch.get_metric_statistics(MetricName="slow", **given)["Datapoints"] == []


def test_a_long_request_is_compressed(cloudwatch: Any) -> None:
    """Requests of more than 10,240 bytes, which botocore compresses, are read."""
    put(cloudwatch, *({"Value": number} for number in range(900)))

    assert statistics(cloudwatch, "SampleCount")["SampleCount"] == 900


def test_old_metrics(localbus: Localbus, cloudwatch: Any) -> None:
    """ListMetrics shows a metric for two weeks after its last data, and for three hours as recently active."""
    put(cloudwatch, {"Value": 1})
    localbus.advance(4 * 3600)
    recent, all_of_them = (cloudwatch.list_metrics(**given)["Metrics"] for given in ({"RecentlyActive": "PT3H"}, {}))
    localbus.advance(14 * 86_400)

    assert (recent, len(all_of_them), cloudwatch.list_metrics()["Metrics"]) == ([], 1, [])


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1, "Values": [1]}, "InvalidParameterCombination"),
        ({"Value": 2.0**361}, "InvalidParameterValue"),
        ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue"),
        ({"Value": 1, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1, "Timestamp": NOW + timedelta(hours=3)}, "InvalidParameterValue"),
        ({"Value": 1, "Unit": "Cups"}, "ValidationError"),
        ({"Value": 1, "StorageResolution": 5}, "InvalidParameterValue"),
    ],
)
def test_invalid_data(cloudwatch: Any, datum: dict[str, Any], code: str) -> None:
    """A request with one data point that is not valid publishes none."""
    with pytest.raises(ClientError) as error:
        put(cloudwatch, {"Value": 1}, datum)

    assert error.value.response["Error"]["Code"] == code
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_the_namespaces_of_aws(cloudwatch: Any) -> None:
    """Only AWS's services publish in a namespace that begins with AWS/."""
    with pytest.raises(ClientError, match="The value AWS/ for parameter Namespace is invalid"):
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[{"MetricName": "orders", "Value": 1}])


def test_dashboards(cloudwatch: Any) -> None:
    """A dashboard is stored with its body, listed with its size, and deleted; a body that is not valid is refused."""
    body = '{"widgets": [{"type": "text", "properties": {"markdown": "tea"}}]}'
    cloudwatch.put_dashboard(DashboardName="bar", DashboardBody=body)

    listed = cloudwatch.list_dashboards()["DashboardEntries"]

    assert cloudwatch.get_dashboard(DashboardName="bar")["DashboardBody"] == body
    assert [(each["DashboardName"], each["Size"]) for each in listed] == [("bar", len(body))]
    typed_wrong = (
        '{"widgets": [{"type": ["text"], "properties": {}}]}',
        '{"widgets": [{"type": "text", "properties": []}]}',
    )
    for invalid in ("tea", '{"widgets": 1}', '{"widgets": [{}]}', *typed_wrong):
        with pytest.raises(ClientError, match="InvalidParameterInput"):
            cloudwatch.put_dashboard(DashboardName="bar", DashboardBody=invalid)
    cloudwatch.delete_dashboards(DashboardNames=["bar"])
    with pytest.raises(ClientError, match="ResourceNotFound"):
        cloudwatch.get_dashboard(DashboardName="bar")


def test_the_older_protocols(localbus: Localbus) -> None:
    """Clients may also use AWS JSON, and the Query protocol with XML."""
    scope = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20231114/us-east-1/monitoring/aws4_request, Signature=0"
    }
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData", **scope}
    data = [{"MetricName": "orders", "Value": 5, "Timestamp": FIXED_START}]
    form = {"Action": "GetMetricStatistics", "Version": "2010-08-01", "Period": "60", "Statistics.member.1": "Sum"}
    form |= {"Namespace": "shop", "MetricName": "orders"}
    form |= {"StartTime": f"{MINUTE:%Y-%m-%dT%H:%M:%SZ}", "EndTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}

    put = httpx.post(localbus.url, headers=target, json={"Namespace": "shop", "MetricData": data})
    found = httpx.post(localbus.url, data=form)
    unknown = httpx.post(localbus.url, headers=scope, data={"Action": "PutAnomalyDetector", "Version": "2010-08-01"})

    assert (put.status_code, put.content) == (200, b"")
    assert "<Sum>5.0</Sum>" in found.text
    assert f"<Timestamp>{MINUTE:%Y-%m-%dT%H:%M:%S}.000Z</Timestamp>" in found.text
    assert (unknown.status_code, "<Code>NotImplemented</Code>" in unknown.text) == (501, True)


def test_a_dashboard_that_is_no_text(localbus: Localbus, cloudwatch: Any) -> None:
    """A body with half of a surrogate pair, which only JSON can write, is refused: nobody could measure or send it."""
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.PutDashboard"}

    refused = httpx.post(
        localbus.url, headers=target, content=b'{"DashboardName": "bar", "DashboardBody": "{\\"tea\\": \\"\\ud800\\"}"}'
    )

    assert (refused.status_code, "valid JSON object" in refused.text) == (400, True)
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_cbor(localbus: Localbus) -> None:
    """Smithy's RPC with CBOR, written and read by botocore's own serializer and parser, has data, times and errors."""
    model = botocore.session.Session().get_service_model("cloudwatch")
    scope = "AWS4-HMAC-SHA256 Credential=test/20231114/us-east-1/monitoring/aws4_request, Signature=0"

    def call(name: str, **params: Any) -> dict[str, Any]:
        operation = model.operation_model(name)
        written = create_serializer("smithy-rpc-v2-cbor").serialize_to_request(params, operation)
        headers = {**written["headers"], "Authorization": scope}
        answer = httpx.post(f"{localbus.url}{written['url_path']}", headers=headers, content=written["body"])
        read = {"headers": answer.headers, "status_code": answer.status_code, "body": answer.content}
        shape: Any = operation.output_shape
        return dict(create_parser("smithy-rpc-v2-cbor").parse(read, shape))

    call("PutMetricData", Namespace="shop", MetricData=[{"MetricName": "orders", "Value": 5.5, "Timestamp": NOW}])
    points = call("GetMetricStatistics", **ORDERS, **RANGE, Period=60, Statistics=["Sum"])["Datapoints"]
    refused = call("SetAlarmState", AlarmName="tea", StateValue="OK", StateReason="r")["Error"]
    malformed = httpx.post(
        f"{localbus.url}/service/GraniteServiceVersion20100801/operation/ListMetrics",
        headers={"smithy-protocol": "rpc-v2-cbor", "Authorization": scope},
        content=b"\xa1",
    )

    assert points == [{"Timestamp": MINUTE, "Unit": "None", "Sum": 5.5}]
    assert (refused["Code"], refused["Message"]) == ("ResourceNotFound", "No alarm has the name tea.")
    assert (malformed.status_code, malformed.headers["content-type"]) == (400, "application/cbor")
