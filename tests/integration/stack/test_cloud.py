"""The services on AWS, with the embedded backend as the account: all of it deployed, deployed again, and removed."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from integration.stack.fake_docker import FakeDocker
from orderboard.cloud import commands
from orderboard.cloud.deployment import Deployment
from orderboard.cloud.plan import CloudPlan
from orderboard.cloud.presentation import result
from orderboard.cloud.removal import Removal
from orderboard.system.state import StateFile
from orderboard.system.workspace import Workspace
from orderboard.terminal.progress import PlainScreen
from orderboard_stack.aws import Account
from orderboard_stack.backend import Endpoint
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.deploy import delete
from rich.console import Console

ROOT: Final = Path(__file__).parents[3]
PREFIX: Final = "cloud"
# MiniStack 1.5.33 knows every other type of deploy/, and refuses a template with one that it does not know.
NOT_IN_MINISTACK: Final = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::EC2::SecurityGroupIngress",
)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of deploy/ without what MiniStack does not know."""
    folder = tmp_path_factory.mktemp("deploy")
    for name in ("network", "images", "services"):
        path = ROOT / "deploy" / f"{name}.yaml"
        (folder / path.name).write_text(path.read_text())
    services = folder / "services.yaml"
    unknown = "|".join(NOT_IN_MINISTACK)
    text = re.sub(rf"^  \w+:\n    Type: (?:{unknown})\n(?:    .*\n)*", "", services.read_text(), flags=re.MULTILINE)
    services.write_text(text)
    return folder


@pytest.fixture(scope="module")
def plan(templates: Path) -> CloudPlan:
    """A deployment over HTTP."""
    return CloudPlan(templates, stack_name=PREFIX, prefix=PREFIX, http=True)


@pytest.fixture(scope="module")
def account(backend: Endpoint) -> Iterator[Account]:
    """The backend as an account, which is empty again afterwards."""
    yield Account("000000000000", "arn:aws:iam::000000000000:user/ada", backend)
    delete(backend.session(), backend.endpoint_url, stack_name=PREFIX, prefix=PREFIX)


@pytest.fixture
def printed() -> io.StringIO:
    """The lines that a run prints."""
    return io.StringIO()


@pytest.fixture
def screen(printed: io.StringIO) -> PlainScreen:
    """The progress of a run, as lines."""
    return PlainScreen(Console(width=200, file=printed))


@pytest.fixture
def engine(account: Account, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A Docker for the images; the account's load balancer has no address here."""
    endpoint = account.endpoint
    ecr = endpoint.session().client("ecr", endpoint_url=endpoint.endpoint_url, config=CLIENT_CONFIG)
    made = FakeDocker(ecr)
    monkeypatch.setattr(commands, "docker", lambda _: made)
    monkeypatch.setattr(commands, "find_account", lambda _: account)
    monkeypatch.setattr(Deployment, "_reached", lambda *_: False)
    return made


def test_everything_is_deployed_and_again_and_removed(
    *, account: Account, plan: CloudPlan, engine: FakeDocker, screen: PlainScreen, printed: io.StringIO, tmp_path: Path
) -> None:
    """All stacks and images are made, past the rest of an old attempt; the second run builds nothing; nothing stays."""
    workspace = Workspace(ROOT, tmp_path)
    endpoint = account.endpoint
    logs = endpoint.session().client("logs", endpoint_url=endpoint.endpoint_url, config=CLIENT_CONFIG)
    logs.create_log_group(logGroupName="/ecs/cloud-worker")  # as an earlier attempt may leave it

    first = commands.deploy(workspace, account, plan, screen)

    done = [command[:2] for command in engine.commands]
    assert done == [["docker", each] for each in ("build", "build", "login", "push", "push", "logout")]
    assert engine.given == ["", "", engine.password, "", "", ""]
    assert first.stack.orders_table == "cloud-orders"
    lines = {line.split("s  ", 1)[-1] for line in printed.getvalue().splitlines()}
    assert {"Vpc CREATE_COMPLETE", "OrderApiService CREATE_COMPLETE"} <= lines
    said = result(account, plan, first)
    assert f"--secret-id {first.outputs['ApiTokenSecretArn']}" in said
    assert "burst --orders 20000 --workers auto:2-8,backlog-per-worker=500" in said
    assert f"its name must lead to {first.outputs['LoadBalancerName']}" in said

    engine.commands.clear()
    again = commands.deploy(workspace, account, plan, screen)

    assert not engine.commands
    assert again.outputs == first.outputs

    state = StateFile(tmp_path).read()
    assert state is not None
    assert (state.api_url, state.on_ecs) == (first.api_url, True)
    removed, left = commands.remove(workspace, None, screen, state=state, yes=True)
    assert removed == ("cloud-services", "cloud-network", "cloud-images", "cloud")
    assert left == ()
    assert Removal(account, PREFIX, PREFIX, screen).found() == ()
    assert StateFile(tmp_path).read() is None


def test_what_backups_and_restores_left_is_named(account: Account, screen: PlainScreen) -> None:
    """A backup outlives its table and its stack, as does what an interrupted restore has made, and costs money."""
    endpoint = account.endpoint
    dynamodb = endpoint.session().client("dynamodb", endpoint_url=endpoint.endpoint_url, config=CLIENT_CONFIG)
    for table in ("kept-orders", "kept-orders-restoring"):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    names = {"kept-orders": "before", "kept-orders-restoring": "kept-orders-rebuilt"}
    made = [dynamodb.create_backup(TableName=table, BackupName=name) for table, name in names.items()]
    dynamodb.delete_table(TableName="kept-orders")

    left = Removal(account, "kept", "kept", screen).left()

    assert left == (
        "table kept-orders-restoring of an interrupted restore",
        "backup before of kept-orders",
        "backup kept-orders-rebuilt of kept-orders-restoring",
    )
    dynamodb.delete_table(TableName="kept-orders-restoring")
    for each in made:
        dynamodb.delete_backup(BackupArn=each["BackupDetails"]["BackupArn"])


def test_a_given_network_is_used(account: Account, plan: CloudPlan, screen: PlainScreen) -> None:
    """A VPC of the user's takes the place of the stack of the network."""
    given = {"VpcId": "vpc-1", "PublicSubnetIds": "subnet-1,subnet-2", "PrivateSubnetIds": "subnet-3,subnet-4"}
    deployment = Deployment(account, replace(plan, given=given), ROOT, lambda *_: None, screen)

    assert deployment._subnets() == {}
    assert deployment.plan.parameters("services").items() >= given.items()
