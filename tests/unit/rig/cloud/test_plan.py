"""A plan is checked before anything is created."""

from pathlib import Path

import pytest
from orderboard.cloud.parameters import parameters_of
from orderboard.cloud.plan import CloudPlan
from orderboard.errors import UsageError
from template_file import document

FOLDER = Path(__file__).parents[4] / "deploy"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


@pytest.mark.parametrize("name", ["main", "network", "images", "services"])
def test_the_parameters_of_a_template_are_read(name: str) -> None:
    """Names and defaults are those that a parser of YAML finds."""
    path = CloudPlan(FOLDER).template(name)
    expected = {key: each.get("Default") for key, each in document(path)["Parameters"].items()}

    found = {key: each.default for key, each in parameters_of(path.read_text()).items()}

    assert found == {key: None if value is None else str(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (CloudPlan(FOLDER), "--certificate ARN"),
        (CloudPlan(FOLDER, certificate_arn=CERTIFICATE, http=True), "exclude each other"),
        (CloudPlan(FOLDER, certificate_arn="mine"), "'mine' is not the ARN"),
        (CloudPlan(FOLDER, http=True, given={"Zones": "2"}), "--parameter Zones: not a parameter"),
        (CloudPlan(FOLDER, http=True, given={"WorkerImage": ":a"}), "--parameter WorkerImage"),
        (CloudPlan(FOLDER, http=True, given={"VpcId": "vpc-1"}), "also needs --parameter PublicSubnetIds"),
        *(
            (CloudPlan(FOLDER, http=True, given={name: value}), f"--parameter {name}={value}: expected {expected}")
            for name, value, expected in (
                ("ApiMinTasks", "many", "a number from 2"),
                ("ApiMinTasks", "1", "a number from 2"),
                ("ApiMaxTasks", "2.5", "a whole number"),
                ("WorkerDrainDeadlineS", "106", "a number from 25 to 105"),
                ("TaskSize", "huge", "one of small, medium, large"),
                ("ZoneCount", "9", "one of 2, 3"),
                ("AllowedCidr", "home", "The callers' addresses"),
                ("OtlpEndpoint", "http://collector", "The OTLP/HTTP endpoint .*, http with its port"),
            )
        ),
        (
            CloudPlan(FOLDER, http=True, given={"WorkerMinTasks": "9"}),
            "WorkerMinTasks is 9, but WorkerMaxTasks is 8. .* --parameter WorkerMaxTasks=9",
        ),
        (CloudPlan(FOLDER, http=True, prefix="x" * 23), "22 at most"),
    ],
)
def test_a_plan_that_cannot_be_deployed_is_refused(plan: CloudPlan, said: str) -> None:
    """The option, and what is expected."""
    with pytest.raises(UsageError, match=said):
        plan.check()


def test_what_the_templates_set_themselves_is_allowed() -> None:
    """Each default is a value that its parameter takes, so that no check refuses what CloudFormation accepts."""
    plan = CloudPlan(FOLDER)
    known = [each for name in ("main", "network", "services") for each in plan.known(name).values()]

    assert [each for each in known if each.default and each.expected(each.default) is not None] == []


def test_a_certificate_is_of_the_region() -> None:
    """A load balancer takes only a certificate of its region."""
    plan = CloudPlan(FOLDER, certificate_arn=CERTIFICATE)
    plan.check()
    plan.check_region("eu-west-1")

    with pytest.raises(UsageError, match="is in eu-west-1, but the services go to us-east-1"):
        plan.check_region("us-east-1")


def test_a_parameter_goes_to_every_template_that_has_it() -> None:
    """Capacity is one of the network's and of the services'."""
    plan = CloudPlan(FOLDER, http=True, given={"Capacity": "ec2", "LargeOrderCents": "5000"})

    assert plan.parameters("network")["Capacity"] == plan.parameters("services")["Capacity"] == "ec2"
    assert plan.parameters("main") == {"Prefix": "orderboard", "LargeOrderCents": "5000"}
    assert plan.parameters("services")["AllowHttp"] == "true"
