"""The settings of a table that a restore leaves out: read before the table is deleted, and put back afterwards.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableFromBackup.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

RECOVERY_DAYS: Final = 35
NOT_PUT_BACK: Final = (
    "Not put back, if you had them: auto scaling, a resource policy, Contributor Insights, a Kinesis data stream, "
    "replicas."
)
# A temporary table carries the settings in this tag, so that an interrupted restore can go on anywhere.
_TAG: Final = "orderboard:settings"


@dataclass(frozen=True)
class TableSettings:
    """The settings that a restored table lacks. stream: its view type. recovery_days: None if that is off."""

    time_to_live: str | None = None
    recovery_days: int | None = RECOVERY_DAYS
    stream: str | None = None
    protected: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def carry(client: "DynamoDBClient", arn: str, settings: TableSettings) -> None:
    """Let a temporary table carry the settings, in its tags."""
    days = "off" if settings.recovery_days is None else str(settings.recovery_days)
    values = (settings.time_to_live or "", days, settings.stream or "", str(settings.protected).lower())
    tags = {**settings.tags, _TAG: "/".join(values)}
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


def is_carried_by(client: "DynamoDBClient", arn: str) -> bool:
    """Return whether a table carries settings."""
    return _TAG in tags_of(client, arn)


def carried_by(client: "DynamoDBClient", arn: str) -> TableSettings:
    """Return the settings that a table carries."""
    tags = tags_of(client, arn)
    time_to_live, days, stream, protected = tags.pop(_TAG).split("/")
    recovery_days = None if days == "off" else int(days)
    return TableSettings(time_to_live or None, recovery_days, stream or None, protected == "true", tags)


def read(client: "DynamoDBClient", table: str) -> TableSettings:
    """Return the settings of a table."""
    found: Any = client.describe_table(TableName=table)["Table"]
    expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery: Any = backups.get("PointInTimeRecoveryDescription", {})
    is_on = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    return TableSettings(
        time_to_live=_attribute(expiry),
        recovery_days=recovery.get("RecoveryPeriodInDays", RECOVERY_DAYS) if is_on else None,
        stream=found.get("StreamSpecification", {}).get("StreamViewType"),
        protected=bool(found.get("DeletionProtectionEnabled")),
        tags=tags_of(client, found["TableArn"]),
    )


def of_backup(client: "DynamoDBClient", arn: str, tags: Mapping[str, str]) -> TableSettings:
    """Return the settings of a table that is gone, as far as its backup has them. tags: of its stack."""
    features: Any = client.describe_backup(BackupArn=arn)["BackupDescription"].get("SourceTableFeatureDetails", {})
    expiry = features.get("TimeToLiveDescription", {})
    return TableSettings(
        _attribute(expiry), stream=features.get("StreamDescription", {}).get("StreamViewType"), tags=tags
    )


def tags_of(client: "DynamoDBClient", arn: str) -> dict[str, str]:
    """Return a table's tags. Those of AWS itself cannot be put back."""
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def put_back(client: "DynamoDBClient", table: str, wanted: TableSettings, pause: Callable[[], None]) -> Iterator[str]:
    """Give an active table the settings that it lacks, and name each. Raises ClientError."""
    has = read(client, table)
    if wanted.time_to_live not in (None, has.time_to_live):
        specification: Any = {"Enabled": True, "AttributeName": wanted.time_to_live}
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
    if wanted.recovery_days not in (None, has.recovery_days):
        _enable_recovery(client, table, wanted.recovery_days or RECOVERY_DAYS, pause)
    if wanted.stream not in (None, has.stream):
        stream: Any = {"StreamEnabled": True, "StreamViewType": wanted.stream}
        client.update_table(TableName=table, StreamSpecification=stream)
        _wait_active(client, table, pause)
    if wanted.protected and not has.protected:
        client.update_table(TableName=table, DeletionProtectionEnabled=True)
        _wait_active(client, table, pause)
    if wanted.tags:
        arn = client.describe_table(TableName=table)["Table"]["TableArn"]
        client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in wanted.tags.items()])
    if wanted.time_to_live is not None:
        yield f"time to live ({wanted.time_to_live})"
    if wanted.recovery_days is not None:
        yield f"point-in-time recovery ({wanted.recovery_days} days)"
    if wanted.stream is not None:
        yield f"stream ({wanted.stream})"
    if wanted.protected:
        yield "deletion protection"
    if wanted.tags:
        yield f"{len(wanted.tags)} tag" + ("s" if len(wanted.tags) > 1 else "")


def _attribute(expiry: Any) -> str | None:
    is_on = expiry.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return expiry["AttributeName"] if is_on else None


def _enable_recovery(client: "DynamoDBClient", table: str, days: int, pause: Callable[[], None]) -> None:
    """Enable point-in-time recovery, as soon as DynamoDB has set up the backups of the new table."""
    wanted: Any = {"PointInTimeRecoveryEnabled": True}
    if days != RECOVERY_DAYS:
        wanted["RecoveryPeriodInDays"] = days
    while True:
        try:
            client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=wanted)
        except client.exceptions.ContinuousBackupsUnavailableException:
            pause()
        else:
            return


def _wait_active(client: "DynamoDBClient", table: str, pause: Callable[[], None]) -> None:
    while client.describe_table(TableName=table)["Table"]["TableStatus"] != "ACTIVE":
        pause()
