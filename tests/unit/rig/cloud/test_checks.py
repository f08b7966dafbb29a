"""The account, the region and half-made stacks are checked before anything is created."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from orderboard.cloud import checks
from orderboard.cloud.checks import check_region, check_stack, find_account
from orderboard.cloud.plan import CloudPlan
from orderboard.errors import RigError, UsageError
from orderboard_stack.aws import Account, NoAccountError
from orderboard_stack.backend import Endpoint

PLAN = CloudPlan(Path(__file__).parents[4] / "deploy", http=True)


def of(region: str) -> Account:
    """An account in this region."""
    return Account("123456789012", "arn:aws:iam::123456789012:user/ada", Endpoint("aws", None, region))


@pytest.fixture
def zones(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the Availability Zones that EC2 describes, by their states."""

    def describe(*states: str) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        client = session.client("ec2")
        stub = Stubber(client)
        found = [{"ZoneName": f"zone-{number}", "State": state} for number, state in enumerate(states)]
        stub.add_response("describe_availability_zones", {"AvailabilityZones": found})
        stub.activate()
        monkeypatch.setattr(session, "client", lambda *_, **__: client)
        monkeypatch.setattr(Endpoint, "session", lambda _: session)

    return describe


def test_another_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """--account protects from the credentials of another one."""
    monkeypatch.setattr(checks, "account", lambda: of("us-east-1"))

    assert find_account(None) == find_account("123456789012") == of("us-east-1")
    with pytest.raises(
        RigError, match=r"are of account 123456789012, but --account says 210987654321\. Nothing was done"
    ):
        find_account("210987654321")
    with pytest.raises(UsageError, match="12 digits"):
        find_account("12345")


def test_expired_credentials_have_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause decides what the error says."""

    def fail() -> Account:
        expired = ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "GetCallerIdentity")
        raise NoAccountError("No usable AWS credentials.") from expired

    monkeypatch.setattr(checks, "account", fail)

    with pytest.raises(RigError, match=r"have expired\. Log in again: aws sso login"):
        find_account(None)


def test_a_profile_that_does_not_exist_has_a_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """boto3 refuses it before anything is asked of AWS; the fix is the CLI's list of profiles."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))

    with pytest.raises(RigError, match=r"nobody.* Set AWS_PROFILE to one of `aws configure list-profiles`"):
        find_account(None)


def test_a_region_has_every_service(zones: Any) -> None:
    """The SDK's own list of regions has us-east-1 for each of them."""
    zones("available", "available", "available")

    check_region(of("us-east-1"), PLAN)


@pytest.fixture
def regions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the services that every region lacks."""

    def lack(*services: str) -> None:
        def listed(_: boto3.Session, service: str, *, partition_name: str) -> list[str]:
            return [] if service in services or partition_name != "aws" else ["us-east-1"]

        monkeypatch.setattr(boto3.Session, "get_available_regions", listed)

    return lack


def test_a_region_without_enough_zones_is_refused(zones: Any, regions: Any) -> None:
    """A zone that is impaired does not count."""
    regions()
    zones("available", "impaired")

    with pytest.raises(RigError, match="us-east-1 has 1 Availability Zones for this account, but ZoneCount is 2"):
        check_region(of("us-east-1"), PLAN)


def test_a_typing_error_in_the_region_is_named(regions: Any) -> None:
    """A region that no service knows, before anything is sent."""
    regions()

    with pytest.raises(RigError, match="'us-moon-1' is not a region of AWS"):
        check_region(of("us-moon-1"), PLAN)


def test_a_region_without_a_service_is_refused(regions: Any) -> None:
    """The services that it lacks are named."""
    regions("ecs", "ecr")

    with pytest.raises(RigError, match=r"us-east-1 has no ecs, ecr\. Choose another region"):
        check_region(of("us-east-1"), PLAN)


def test_a_failed_rollback_has_a_fix() -> None:
    """Only its owner can finish it; every other state can be deployed to."""

    class Stuck:
        name = "orderboard-services"

        def __init__(self, state: str) -> None:
            self._state = state

        def state(self) -> str:
            return self._state

    stack: Any = Stuck("UPDATE_ROLLBACK_FAILED")
    with pytest.raises(RigError, match="continue-update-rollback --region us-east-1 --stack-name orderboard-services"):
        check_stack(stack, "us-east-1")
    for state in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_COMPLETE"):
        ready: Any = Stuck(state)
        check_stack(ready, "us-east-1")
