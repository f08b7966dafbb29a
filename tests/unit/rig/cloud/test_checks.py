"""The region and half-made stacks are checked before anything is created."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from orderboard.cloud.checks import check_region, check_stack
from orderboard.cloud.plan import CloudPlan
from orderboard.errors import RigError
from orderboard_stack.aws import Account
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
