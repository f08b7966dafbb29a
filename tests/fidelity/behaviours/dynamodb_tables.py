"""Tables: their definitions, indexes, tags, time to live and backups."""

from __future__ import annotations

from typing import Any

from fidelity.aws import ACCOUNT, REGION, Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import dynamodb_api, dynamodb_guide
from fidelity.tables import index, name_of, table

GROUP = Group("DynamoDB", "Tables")
behaviour = GROUP.behaviour
_CREATE = dynamodb_api("CreateTable")
_HASH = {"AttributeName": "p", "KeyType": "HASH"}
_TEXT = {"AttributeName": "p", "AttributeType": "S"}
_create = GROUP.refusals(
    "dynamodb.create_table",
    "ValidationException",
    _CREATE,
    TableName=Aws.name,
    KeySchema=[_HASH],
    AttributeDefinitions=[_TEXT],
    BillingMode="PAY_PER_REQUEST",
)


@behaviour(dynamodb_api("DescribeTable"))
def describes_a_table(aws: Aws) -> None:
    """A table is described with its ARN, keys and billing mode."""
    created = table(aws, "N")

    found = created.client.describe_table(TableName=created.name)["Table"]

    same("has the ARN", found["TableArn"], f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{created.name}")
    same("has the keys", [(one["AttributeName"], one["KeyType"]) for one in found["KeySchema"]], _KEYS)
    same("is billed by", found["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    same("is", found["TableStatus"], "ACTIVE")


_KEYS = [("p", "HASH"), ("s", "RANGE")]


@behaviour(_CREATE)
def table_exists(aws: Aws) -> None:
    """A table of the name of another is refused (ResourceInUseException)."""
    name = name_of(aws)
    refused(
        "ResourceInUseException",
        aws.client("dynamodb").create_table,
        TableName=name,
        KeySchema=[_HASH],
        AttributeDefinitions=[_TEXT],
        BillingMode="PAY_PER_REQUEST",
    )


_create("short_name", "A table's name has at least 3 characters", TableName="ab")
_create("odd_name", "A table's name has no characters but letters, digits, _, - and .", TableName="a b c")
_create(
    "key_without_definition",
    "Each key attribute must be defined",
    KeySchema=[{"AttributeName": "q", "KeyType": "HASH"}],
)
_create(
    "definition_without_key",
    "Only key attributes are defined",
    AttributeDefinitions=[_TEXT, {"AttributeName": "q", "AttributeType": "S"}],
)
_create("boolean_key", "A key is a text, a number or a blob", AttributeDefinitions=[_TEXT | {"AttributeType": "BOOL"}])
_create(
    "throughput_on_demand",
    "A table that is billed by request has no provisioned throughput",
    ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
)
_create("no_throughput", "A provisioned table needs its throughput", BillingMode="PROVISIONED")
_create(
    "local_index_without_sort_key",
    "A local index needs a table with a sort key",
    LocalSecondaryIndexes=[index("local", "p", "s")],
    AttributeDefinitions=[_TEXT, {"AttributeName": "s", "AttributeType": "S"}],
)
_create(
    "six_local_indexes",
    "A table has at most five local indexes",
    source=dynamodb_guide("ServiceQuotas"),
    KeySchema=[_HASH, {"AttributeName": "s", "KeyType": "RANGE"}],
    AttributeDefinitions=[_TEXT, *({"AttributeName": name, "AttributeType": "S"} for name in ("s", *"abcdef"))],
    LocalSecondaryIndexes=[index(f"local-{name}", "p", name) for name in "abcdef"],
)


@behaviour(dynamodb_api("DescribeTable", recorded=True))
def unknown_table(aws: Aws) -> None:
    """A table that does not exist is not found, and the error names it."""
    client = aws.client("dynamodb")
    says = "Requested resource not found: Table: no-such-table not found"
    for action in (client.describe_table, client.delete_table):
        refused("ResourceNotFoundException", action, says=says, TableName="no-such-table")


@behaviour(dynamodb_api("ListTables"))
def lists_tables_by_pages(aws: Aws) -> None:
    """Tables are listed by name, in pages that begin after a name."""
    names = sorted(name_of(aws) for _ in range(3))
    client, start = aws.client("dynamodb"), names[0]

    found = client.list_tables(ExclusiveStartTableName=start, Limit=1)

    same("lists", found["TableNames"], [names[1]])
    same("goes on after", found["LastEvaluatedTableName"], names[1])


@behaviour(dynamodb_api("DeleteTable"))
def deletes_a_table(aws: Aws) -> None:
    """A deleted table is first described as DELETING, and then not found."""
    client, name = aws.client("dynamodb"), name_of(aws)

    answer = client.delete_table(TableName=name)

    same("is", answer["TableDescription"]["TableStatus"], "DELETING")
    client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


@behaviour(dynamodb_guide("WorkingWithTables.Basics"))
def protects_from_deletion(aws: Aws) -> None:
    """A table with deletion protection is not deleted."""
    protected = table(aws, DeletionProtectionEnabled=True)
    refused("ValidationException", protected.client.delete_table, TableName=protected.name)


@behaviour(dynamodb_api("UpdateTable"))
def adds_an_index(aws: Aws) -> None:
    """A global index that is added later has the items from before, if they have its key."""
    changed = table(aws)
    changed.put(p="a", g="x")
    changed.put(p="b")

    changed.client.update_table(
        TableName=changed.name,
        AttributeDefinitions=[_TEXT, {"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": index("later", "g")}],
    )

    def active() -> bool:
        found = changed.client.describe_table(TableName=changed.name)["Table"]["GlobalSecondaryIndexes"][0]
        return bool(found["IndexStatus"] == "ACTIVE")

    eventually(active, "is not active")
    same("has", changed.client.scan(TableName=changed.name, IndexName="later")["Count"], 1)


@behaviour(dynamodb_api("TagResource"))
def tags_a_table(aws: Aws) -> None:
    """Tags of a table are added, replaced and removed."""
    tagged = table(aws, Tags=[{"Key": "a", "Value": "1"}])
    arn = tagged.client.describe_table(TableName=tagged.name)["Table"]["TableArn"]

    tagged.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    tagged.client.untag_resource(ResourceArn=arn, TagKeys=["b"])

    same("has", tagged.client.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "2"}])


def _expires(name: str, *, enabled: bool = True) -> dict[str, Any]:
    return {"TableName": name, "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": "e"}}


@behaviour(dynamodb_api("DescribeTimeToLive"))
def describes_time_to_live(aws: Aws) -> None:
    """A table's time to live is described with its attribute."""
    client, name = aws.client("dynamodb"), name_of(aws)
    same("is", client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"], "DISABLED")

    client.update_time_to_live(**_expires(name))

    found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    holds(found["TimeToLiveStatus"] in {"ENABLING", "ENABLED"}, f"is {found['TimeToLiveStatus']}")
    same("is of", found["AttributeName"], "e")


@behaviour(dynamodb_api("UpdateTimeToLive"))
def enables_time_to_live_once(aws: Aws) -> None:
    """Time to live that is enabled cannot be enabled again, nor disabled if it is disabled."""
    client, name = aws.client("dynamodb"), name_of(aws)
    says = "TimeToLive is already"
    refused("ValidationException", client.update_time_to_live, says=says, **_expires(name, enabled=False))
    client.update_time_to_live(**_expires(name))
    refused("ValidationException", client.update_time_to_live, says=says, **_expires(name))


@behaviour(dynamodb_api("DescribeContinuousBackups"))
def describes_continuous_backups(aws: Aws) -> None:
    """Continuous backups are always enabled; recovery to a point in time must be enabled."""
    client, name = aws.client("dynamodb"), name_of(aws)
    found = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    same("is", found["ContinuousBackupsStatus"], "ENABLED")
    same("recovers", found["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "DISABLED")


@behaviour(dynamodb_api("RestoreTableFromBackup"))
def restores_a_backup(aws: Aws) -> None:
    """A table that is restored from a backup has the items of that time."""
    client, saved = aws.client("dynamodb"), table(aws)
    saved.put(p="a", n=1)
    arn = client.create_backup(TableName=saved.name, BackupName="nightly")["BackupDetails"]["BackupArn"]
    saved.put(p="a", n=2)

    restored = aws.name()
    client.restore_table_from_backup(TargetTableName=restored, BackupArn=arn)

    client.get_waiter("table_exists").wait(TableName=restored, WaiterConfig={"Delay": 1})
    same("has", client.get_item(TableName=restored, Key=saved.key("a"))["Item"]["n"], {"N": "1"})
