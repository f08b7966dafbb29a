"""Time to live and tags of tables, and what there is to say of the account: limits and endpoints."""

from __future__ import annotations

from localbus.dynamodb.errors import invalid, no_such_table
from localbus.dynamodb.state import DynamoDb
from localbus.dynamodb.table import Table
from localbus.dynamodb.table_actions import named
from localbus.dynamodb.table_definition import read_tags
from localbus.errors import AwsError
from localbus.protocol.pagination import list_page
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params


def describe_time_to_live(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """DescribeTimeToLive."""
    return {"TimeToLiveDescription": time_to_live_of(named(dynamodb, params, caller))}


def time_to_live_of(table: Table) -> Params:
    """Return the description of a table's time to live."""
    name = table.ttl_attribute
    if name is None:
        return {"TimeToLiveStatus": "DISABLED"}
    return {"TimeToLiveStatus": "ENABLED", "AttributeName": name}


def update_time_to_live(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """UpdateTimeToLive. AWS allows one change an hour; here each is immediate."""
    table, wanted = named(dynamodb, params, caller), params["TimeToLiveSpecification"]
    name, enabled = wanted["AttributeName"], wanted["Enabled"]
    if enabled and table.ttl_attribute is not None:
        same = table.ttl_attribute == name
        raise invalid("TimeToLive is already enabled" if same else _active_on_another(table.ttl_attribute))
    if not enabled and table.ttl_attribute is None:
        raise invalid("TimeToLive is already disabled")
    if not enabled and table.ttl_attribute != name:
        raise invalid(_active_on_another(str(table.ttl_attribute)))
    dynamodb.set_time_to_live(table, name if enabled else None)
    return {"TimeToLiveSpecification": wanted}


def _active_on_another(name: str) -> str:
    return f"TimeToLive is active on a different AttributeName: current AttributeName is {name}"


def _tagged(dynamodb: DynamoDb, params: Params, caller: Caller) -> Table:
    arn = params["ResourceArn"]
    if not arn.startswith("arn:"):
        raise invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
    try:
        return dynamodb.table(arn, caller)
    except AwsError as exc:
        text = f"Requested resource not found: ResourcArn: {arn} not found"  # AWS's spelling
        raise AwsError(no_such_table().code, text) from exc


def tag_resource(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """TagResource."""
    table = _tagged(dynamodb, params, caller)
    table.tags |= read_tags(params["Tags"], table.tags)
    dynamodb.save(table)
    return {}


def untag_resource(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """UntagResource."""
    table = _tagged(dynamodb, params, caller)
    for key in params["TagKeys"]:
        table.tags.pop(key, None)
    dynamodb.save(table)
    return {}


def list_tags_of_resource(dynamodb: DynamoDb, params: Params, caller: Caller) -> Params:
    """ListTagsOfResource. There are never more than a page of them."""
    tags = _tagged(dynamodb, params, caller).tags
    return list_page("Tags", [{"Key": key, "Value": value} for key, value in tags.items()], params)


def describe_limits(_dynamodb: DynamoDb, _params: Params, _caller: Caller) -> Params:
    """DescribeLimits: the quotas of a new account.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
    """
    units = {"ReadCapacityUnits": 80_000, "WriteCapacityUnits": 80_000}
    limits = {f"AccountMax{name}": value for name, value in units.items()}
    return limits | {f"TableMax{name}": value // 2 for name, value in units.items()}


def describe_endpoints(_dynamodb: DynamoDb, _params: Params, caller: Caller) -> Params:
    """DescribeEndpoints: this one."""
    return {"Endpoints": [{"Address": caller.base_url.partition("://")[2], "CachePeriodInMinutes": 1440}]}
