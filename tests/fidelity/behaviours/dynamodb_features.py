"""The surroundings of tables: streams, replicas, exports, insights and policies."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import ACCOUNT, Aws
from fidelity.behaviour import Group
from fidelity.expect import eventually, same
from fidelity.sources import dynamodb_api, dynamodb_guide
from fidelity.tables import table

GROUP = Group("DynamoDB", "Around tables")
behaviour = GROUP.behaviour


@behaviour(dynamodb_guide("Streams"), differs="localbus has no streams of tables: CreateTable refuses one.")
def stream(aws: Aws) -> None:
    """The stream of a table has a record of each change of an item."""
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    changed, streams = table(aws, StreamSpecification=specification), aws.client("dynamodbstreams")
    changed.put(p="a", v=1)
    arn = changed.client.describe_table(TableName=changed.name)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    position = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}

    def names() -> list[Any]:
        iterator = streams.get_shard_iterator(**position)["ShardIterator"]
        return [one["eventName"] for one in streams.get_records(ShardIterator=iterator)["Records"]]

    same("has", eventually(names, "has no record", 5), ["INSERT"])


@behaviour(dynamodb_guide("GlobalTables"), differs="localbus has no replicas: UpdateTable refuses one.")
def replica(aws: Aws) -> None:
    """A table gets a replica in another region."""
    original = table(aws)
    region = "eu-west-1"
    original.client.update_table(TableName=original.name, ReplicaUpdates=[{"Create": {"RegionName": region}}])

    replicas = original.client.describe_table(TableName=original.name)["Table"].get("Replicas", [])

    same("has replicas in", [one["RegionName"] for one in replicas if one["RegionName"] == region], [region])


@behaviour(dynamodb_guide("S3DataExport.HowItWorks"), differs="localbus exports no tables.")
def export(aws: Aws) -> None:
    """A table with point-in-time recovery is exported to a bucket."""
    exported, bucket = table(aws), aws.name()
    aws.client("s3").create_bucket(Bucket=bucket)
    recovery = {"PointInTimeRecoveryEnabled": True}
    exported.client.update_continuous_backups(TableName=exported.name, PointInTimeRecoverySpecification=recovery)
    arn = exported.client.describe_table(TableName=exported.name)["Table"]["TableArn"]

    answer = exported.client.export_table_to_point_in_time(TableArn=arn, S3Bucket=bucket)

    same("goes to", answer["ExportDescription"]["S3Bucket"], bucket)


@behaviour(dynamodb_api("UpdateContributorInsights"), differs="localbus has no Contributor Insights.")
def contributor_insights(aws: Aws) -> None:
    """Contributor Insights are enabled for a table."""
    watched = table(aws)

    answer = watched.client.update_contributor_insights(TableName=watched.name, ContributorInsightsAction="ENABLE")

    same("becomes", answer["ContributorInsightsStatus"] in {"ENABLING", "ENABLED"}, True)


@behaviour(dynamodb_api("PutResourcePolicy"), differs="localbus has no policies of tables.")
def resource_policy(aws: Aws) -> None:
    """A policy that is put on a table is returned."""
    guarded = table(aws)
    arn = guarded.client.describe_table(TableName=guarded.name)["Table"]["TableArn"]
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "dynamodb:GetItem", "Resource": arn}
    policy = {"Version": "2012-10-17", "Statement": [statement]}

    guarded.client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))

    same("is", json.loads(guarded.client.get_resource_policy(ResourceArn=arn)["Policy"]), policy)


@behaviour(
    dynamodb_guide("GSI.DesignPattern.MultiAttributeKeys"),
    differs="localbus has at most one attribute for each of an index's two keys.",
)
def keys_of_several_attributes(aws: Aws) -> None:
    """A global index may have a partition key of several attributes."""
    keys = [{"AttributeName": name, "KeyType": "HASH"} for name in ("a", "b")]
    made = aws.client("dynamodb").create_table(
        TableName=aws.name(),
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("p", "a", "b")],
        GlobalSecondaryIndexes=[{"IndexName": "i", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}],
    )

    index = made["TableDescription"]["GlobalSecondaryIndexes"][0]

    same("has the keys", index["KeySchema"], keys)
