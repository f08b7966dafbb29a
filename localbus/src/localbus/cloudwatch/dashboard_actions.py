"""PutDashboard, GetDashboard, ListDashboards and DeleteDashboards.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
"""

from __future__ import annotations

import re
from typing import Final

from localbus.cloudwatch.alarm import moment
from localbus.cloudwatch.state import CloudWatch
from localbus.errors import AwsError
from localbus.input_values import is_unicode, read_json
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")


def put_dashboard(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """PutDashboard."""
    name, body = params["DashboardName"], params["DashboardBody"]
    if not _NAME.fullmatch(name):
        raise _invalid(f"The value {name!r} for field DashboardName has characters other than A-Z, a-z, 0-9, - and _.")
    try:
        document = read_json(body)
    except (ValueError, RecursionError) as exc:
        raise _invalid(f"The field DashboardBody must be a valid JSON object: {exc}") from exc
    if not isinstance(document, dict) or not is_unicode(body):
        raise _invalid("The field DashboardBody must be a valid JSON object")
    widgets = document.get("widgets", [])
    if not isinstance(widgets, list):
        raise _invalid("Should be an array", "/widgets")
    for place, widget in enumerate(widgets):
        parts = widget if isinstance(widget, dict) else {}
        if not isinstance(parts.get("type"), str) or not isinstance(parts.get("properties"), dict):
            raise _invalid("A widget must have a type, a text, and properties, an object", f"/widgets/{place}")
    cloudwatch.dashboards.put(name, body, caller)
    return {"DashboardValidationMessages": []}


def _invalid(message: str, path: str = "") -> AwsError:
    text = "The dashboard body is invalid, there are 1 validation error(s)" if path else message
    members = {"dashboardValidationMessages": [{"DataPath": path, "Message": message}]}
    return AwsError("DashboardInvalidInputError", f"{text}: {message} ({path})" if path else text, members=members)


def get_dashboard(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """GetDashboard."""
    found = cloudwatch.dashboards.find(params["DashboardName"], caller)
    if found is None:
        raise _not_found(params["DashboardName"])
    return {"DashboardArn": found.arn, "DashboardBody": found.body, "DashboardName": found.name}


def list_dashboards(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """ListDashboards."""
    prefix = params.get("DashboardNamePrefix", "")
    return list_page(
        "DashboardEntries",
        [one for one in cloudwatch.dashboards.of(caller) if one.name.startswith(prefix)],
        params,
        key=lambda one: one.name,
        show=lambda one: {
            "DashboardName": one.name,
            "DashboardArn": one.arn,
            "LastModified": moment(one.modified_at),
            "Size": len(one.body.encode()),
        },
    )


def delete_dashboards(cloudwatch: CloudWatch, params: Params, caller: Caller) -> Params:
    """DeleteDashboards: all, or none if one does not exist."""
    found = []
    for name in params["DashboardNames"]:
        dashboard = cloudwatch.dashboards.find(name, caller)
        if dashboard is None:
            raise _not_found(name)
        found.append(dashboard)
    for dashboard in found:
        cloudwatch.dashboards.delete(dashboard)
    return {}


def _not_found(name: str) -> AwsError:
    return AwsError("DashboardNotFoundError", f"Dashboard {name} does not exist")
