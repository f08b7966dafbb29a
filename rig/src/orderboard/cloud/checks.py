"""Checks before anything is created: the region, its zones, and stacks that are half there."""

from typing import Final

from botocore.exceptions import UnknownRegionError
from orderboard_stack.aws import Account
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.stack import Stack

from orderboard.cloud.plan import CloudPlan
from orderboard.errors import RigError

# By botocore's names.
SERVICES: Final = (
    *("cloudformation", "sqs", "sns", "events", "dynamodb", "lambda", "s3", "iam"),
    *("ecs", "ecr", "elbv2", "application-autoscaling", "ec2", "logs", "cloudwatch", "secretsmanager"),
)
_OF_ALL_REGIONS: Final = ("iam",)


def check_region(account: Account, plan: CloudPlan) -> None:
    """Raise RigError if the region lacks a service or a zone."""
    endpoint = account.endpoint
    session, region = endpoint.session(), endpoint.region
    try:
        partition = session.get_partition_for_region(region)
    except UnknownRegionError:
        partition = "aws"
    missing = [
        name
        for name in SERVICES
        if name not in _OF_ALL_REGIONS and region not in session.get_available_regions(name, partition_name=partition)
    ]
    if len(missing) == len(SERVICES) - len(_OF_ALL_REGIONS):
        raise RigError(f"{region!r} is not a region of AWS. Set AWS_REGION, such as us-east-1.")
    if missing:
        raise RigError(f"{region} has no {', '.join(missing)}. Choose another region: AWS_REGION=us-east-1.")
    if plan.vpc_id is not None:
        return
    ec2 = session.client("ec2", endpoint_url=endpoint.endpoint_url, config=CLIENT_CONFIG)
    zones = ec2.describe_availability_zones(Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}])
    open_zones = [each["ZoneName"] for each in zones["AvailabilityZones"] if each["State"] == "available"]
    if len(open_zones) < plan.zones:
        raise RigError(
            f"{region} has {len(open_zones)} Availability Zones for this account, but ZoneCount is {plan.zones}. "
            "Choose fewer with --parameter ZoneCount=2, or another region."
        )


def check_stack(stack: Stack, region: str) -> None:
    """Raise RigError if it is in a state that only its owner can resolve. A failed attempt is deleted by `up`."""
    if stack.state() == "UPDATE_ROLLBACK_FAILED":
        raise RigError(
            f"Stack {stack.name} is UPDATE_ROLLBACK_FAILED: an update failed, and so did its rollback. Finish that and "
            f"run this again: aws cloudformation continue-update-rollback --region {region} --stack-name {stack.name}. "
            "Or remove all of it: orderboard down --backend aws."
        )
