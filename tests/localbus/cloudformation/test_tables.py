"""AWS::DynamoDB::Table: created, updated, replaced, retained and refused.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

from typing import Any

import pytest
from localbus.pytest_plugin import Localbus
from support.cloudformation import StackClient

TEMPLATE = """
Parameters:
  Name: {Type: String, Default: orders}
  Days: {Type: String, Default: "35"}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Ref Name
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: customer, AttributeType: S}
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: by-customer
          KeySchema: [{AttributeName: customer, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
      TimeToLiveSpecification: {AttributeName: ends, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: !Ref Days}
      Tags: [{Key: team, Value: shop}]
Outputs:
  Name: {Value: !Ref Table}
  Arn: {Value: !GetAtt Table.Arn}
"""
WITHOUT_INDEX = TEMPLATE[: TEMPLATE.index("      GlobalSecondary")] + TEMPLATE[TEMPLATE.index("      TimeToLive") :]
WITHOUT_INDEX = WITHOUT_INDEX.replace("        - {AttributeName: customer, AttributeType: S}\n", "")


@pytest.fixture
def tables(localbus: Localbus) -> Any:
    """A client for tables."""
    return localbus.client("dynamodb")


def described(tables: Any, name: str = "orders") -> dict[str, Any]:
    """DescribeTable."""
    table: dict[str, Any] = tables.describe_table(TableName=name)["Table"]
    return table


def test_a_table_with_all_that_belongs_to_it(stacks: StackClient, tables: Any) -> None:
    """Its indexes, time to live, recovery and tags; Ref is its name; it is deleted with the stack."""
    assert stacks.create(TEMPLATE, Days="7") == "CREATE_COMPLETE"

    table = described(tables)
    assert stacks.outputs() == {"Name": "orders", "Arn": table["TableArn"]}
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-customer"]
    expiry = tables.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ends"}
    backups = tables.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 7
    tags = tables.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
    assert {"Key": "team", "Value": "shop"} in tags
    assert stacks.delete() == "DELETE_COMPLETE"
    assert tables.list_tables()["TableNames"] == []


def test_an_update_keeps_the_items(stacks: StackClient, tables: Any) -> None:
    """An index more, another time to live, no recovery, other tags: the table stays, with its items in the index."""
    stacks.create(WITHOUT_INDEX)
    tables.put_item(TableName="orders", Item={"id": {"S": "1"}, "customer": {"S": "ada"}})
    changed = TEMPLATE.replace("AttributeName: ends", "AttributeName: expires").replace("team", "owner")
    changed = changed.replace("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false")

    assert stacks.update(changed) == "UPDATE_COMPLETE"

    values = {":c": {"S": "ada"}}
    query: Any = {"IndexName": "by-customer", "KeyConditionExpression": "customer = :c"}
    assert tables.query(TableName="orders", ExpressionAttributeValues=values, **query)["Count"] == 1
    assert tables.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]["AttributeName"] == "expires"
    backups = tables.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    tags = tables.list_tags_of_resource(ResourceArn=described(tables)["TableArn"])["Tags"]
    assert [tag["Key"] for tag in tags if not tag["Key"].startswith("aws:")] == ["owner"]
    assert stacks.update(WITHOUT_INDEX) == "UPDATE_COMPLETE"
    assert "GlobalSecondaryIndexes" not in described(tables)


def test_billing_and_protection_change(stacks: StackClient, tables: Any) -> None:
    """To provisioned units, and back when the template no longer sets them."""
    stacks.create(WITHOUT_INDEX)
    units = "ProvisionedThroughput: {ReadCapacityUnits: 3, WriteCapacityUnits: 4}"
    provisioned = WITHOUT_INDEX.replace(
        "BillingMode: PAY_PER_REQUEST", f"DeletionProtectionEnabled: true\n      {units}"
    )

    assert stacks.update(provisioned) == "UPDATE_COMPLETE"

    table = described(tables)
    assert (table["DeletionProtectionEnabled"], table["ProvisionedThroughput"]["WriteCapacityUnits"]) == (True, 4)
    assert stacks.update(WITHOUT_INDEX) == "UPDATE_COMPLETE"
    table = described(tables)
    assert (table["DeletionProtectionEnabled"], table["BillingModeSummary"]["BillingMode"]) == (
        False,
        "PAY_PER_REQUEST",
    )


def test_another_name_or_type_replaces_the_table(stacks: StackClient, tables: Any) -> None:
    """The old one is deleted at the end; with the same name CloudFormation refuses it."""
    stacks.create(WITHOUT_INDEX)

    assert stacks.update(WITHOUT_INDEX, Name="receipts") == "UPDATE_COMPLETE"

    assert tables.list_tables()["TableNames"] == ["receipts"]
    other_type = WITHOUT_INDEX.replace("AttributeName: id, AttributeType: S", "AttributeName: id, AttributeType: N")
    assert stacks.update(other_type, Name="receipts") == "UPDATE_ROLLBACK_COMPLETE"
    assert "when a custom-named resource requires replacing" in stacks.reason("Table", "UPDATE_FAILED")


def test_an_update_that_fails_is_undone(stacks: StackClient, tables: Any) -> None:
    """A table that was changed before another resource failed is as it was, with its items."""
    stacks.create(TEMPLATE)
    tables.put_item(TableName="orders", Item={"id": {"S": "1"}, "customer": {"S": "ada"}})
    bad = WITHOUT_INDEX.replace(
        "Resources:",
        "Resources:\n  Queue: {Type: AWS::SQS::Queue, DependsOn: Table, Properties: {VisibilityTimeout: -1}}",
    )

    assert stacks.update(bad) == "UPDATE_ROLLBACK_COMPLETE"

    table = described(tables)
    assert (table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"]) == (1, 1)


def test_a_retained_table_without_a_name(stacks: StackClient, tables: Any) -> None:
    """It gets a name of the stack and outlives it."""
    named = WITHOUT_INDEX.replace("      TableName: !Ref Name\n", "")
    stacks.create(named.replace("  Table:\n", "  Table:\n    DeletionPolicy: Retain\n"))

    stacks.delete()

    (name,) = tables.list_tables()["TableNames"]
    assert name.startswith("shop-Table-")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("StreamSpecification: {StreamViewType: NEW_IMAGE}", "does not implement streams of tables"),
        ("KinesisStreamSpecification: {StreamArn: arn}", "does not implement the property KinesisStreamSpecification"),
        ("LocalSecondaryIndexes: []", "List of LocalSecondaryIndexes is empty"),
        ("Odd: 1", "extraneous key [Odd] is not permitted"),
        ("SSESpecification: text", "#/SSESpecification: expected type: JSONObject, found: String"),
        ("GlobalSecondaryIndexes: {IndexName: one}", "#/GlobalSecondaryIndexes: expected type: JSONArray"),
    ],
)
def test_what_is_refused(stacks: StackClient, tables: Any, given: str, reason: str) -> None:
    """A property that localbus does not have fails the table, and none is left."""
    bad = WITHOUT_INDEX.replace("      BillingMode", f"      {given}\n      BillingMode")

    assert stacks.create(bad) == "ROLLBACK_COMPLETE"

    assert reason in stacks.reason("Table", "CREATE_FAILED")
    assert tables.list_tables()["TableNames"] == []


def test_two_indexes_at_once_and_changed_ones_are_refused(stacks: StackClient) -> None:
    """As CloudFormation refuses them."""
    stacks.create(TEMPLATE)

    assert (
        stacks.update(TEMPLATE.replace("ProjectionType: ALL", "ProjectionType: KEYS_ONLY"))
        == "UPDATE_ROLLBACK_COMPLETE"
    )
    reason = "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights Specification."
    assert reason in stacks.reason("Table", "UPDATE_FAILED")
    assert stacks.update(TEMPLATE.replace("by-customer", "by-name")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "more than one GSI creation or deletion" in stacks.reason("Table", "UPDATE_FAILED")


GLOBAL_TABLE = """
Resources:
  Table:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      TableName: orders
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      Replicas: [{Region: !Ref AWS::Region, Tags: [{Key: team, Value: shop}]}]
"""


def test_a_global_table_of_one_replica_is_a_table(stacks: StackClient, tables: Any) -> None:
    """The CDK's TableV2 makes one. It is deleted with the stack."""
    assert stacks.create(GLOBAL_TABLE) == "CREATE_COMPLETE"
    arn = described(tables)["TableArn"]
    assert tables.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "shop"}]

    assert stacks.update(GLOBAL_TABLE.replace("Value: shop", "Value: bar")) == "UPDATE_COMPLETE"

    assert tables.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "bar"}]
    assert stacks.update(GLOBAL_TABLE.replace("AWS::Region", "AWS::StackName")) == "UPDATE_ROLLBACK_COMPLETE"
    assert tables.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "bar"}]


@pytest.mark.parametrize("replicas", ["[{Region: eu-west-1}]", "[{Region: us-east-1, KinesisStreamSpecification: {}}]"])
def test_other_replicas_are_not_built(stacks: StackClient, replicas: str) -> None:
    """They are refused with what is missing."""
    template = GLOBAL_TABLE.replace(GLOBAL_TABLE[GLOBAL_TABLE.index("[{Region") :], replicas)

    assert stacks.create(template) == "ROLLBACK_COMPLETE"

    assert "localbus does not implement" in stacks.reason("Table", "CREATE_FAILED")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("[]", "#/Replicas: expected minimum item count: 1, found: 0"),
        ("us-east-1", "#/Replicas: expected type: JSONArray, found: String"),
        ("[us-east-1]", "#/Replicas/0: expected type: JSONObject, found: String"),
        ("[{Tags: []}]", "#/Replicas/0: required key [Region] not found"),
        ("[{Region: us-east-1, Tags: [shop]}]", "#/Replicas/0/Tags/0: expected type: JSONObject, found: String"),
    ],
)
def test_replicas_of_another_form(stacks: StackClient, tables: Any, given: str, reason: str) -> None:
    """An update with them is refused with the place, and the table is as it was."""
    stacks.create(GLOBAL_TABLE)
    template = GLOBAL_TABLE.replace(GLOBAL_TABLE[GLOBAL_TABLE.index("[{Region") :], given)

    assert stacks.update(template) == "UPDATE_ROLLBACK_COMPLETE"

    assert reason in stacks.reason("Table", "UPDATE_FAILED")
    assert described(tables)["TableStatus"] == "ACTIVE"


def test_a_refused_feature_leaves_no_table(stacks: StackClient, tables: Any) -> None:
    """A time to live or a recovery of another form is found before the table is made."""
    for good, bad in (("Enabled: true", "Enabled: maybe"), ("RecoveryPeriodInDays: !Ref Days", "Odd: 1")):
        assert stacks.create(TEMPLATE.replace(good, bad)) == "ROLLBACK_COMPLETE"

        assert tables.list_tables()["TableNames"] == []
        stacks.delete()


def test_other_settings_of_an_index_change_too(stacks: StackClient, tables: Any) -> None:
    """Its on-demand throughput does; one that localbus does not have is refused."""
    stacks.create(TEMPLATE)
    throughput = "Projection: {ProjectionType: ALL}\n          OnDemandThroughput: {MaxReadRequestUnits: 7}"
    changed = TEMPLATE.replace("Projection: {ProjectionType: ALL}", throughput)

    assert stacks.update(changed) == "UPDATE_COMPLETE"

    (index,) = described(tables)["GlobalSecondaryIndexes"]
    assert index["OnDemandThroughput"] == {"MaxReadRequestUnits": 7}
    assert stacks.update(changed.replace("OnDemandThroughput", "Odd")) == "UPDATE_ROLLBACK_COMPLETE"
    assert "extraneous key [Odd]" in stacks.reason("Table", "UPDATE_FAILED")


def test_an_index_named_by_a_number_stays(stacks: StackClient, tables: Any) -> None:
    """An update of something else neither deletes nor makes it again, which would move it to the end."""
    index = TEMPLATE[TEMPLATE.index("        - IndexName") : TEMPLATE.index("      TimeToLive")]
    index = index.replace("by-customer", "by-name")
    numbered = TEMPLATE.replace("by-customer", "2026").replace("      TimeToLive", index + "      TimeToLive")
    stacks.create(numbered)

    assert stacks.update(numbered.replace("team", "owner")) == "UPDATE_COMPLETE"

    assert [index["IndexName"] for index in described(tables)["GlobalSecondaryIndexes"]] == ["2026", "by-name"]


def test_the_id_and_the_settings_of_a_global_table(stacks: StackClient, tables: Any) -> None:
    """Fn::GetAtt has its TableId; a setting that localbus does not have is refused by name."""
    outputs = "Outputs: {Id: {Value: !GetAtt Table.TableId}}\n"
    stacks.create(GLOBAL_TABLE + outputs)

    assert stacks.outputs() == {"Id": described(tables)["TableId"]}
    changed = GLOBAL_TABLE.replace("BillingMode:", "MultiRegionConsistency: STRONG\n      BillingMode:")
    assert stacks.update(changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert "does not implement MultiRegionConsistency" in stacks.reason("Table", "UPDATE_FAILED")
