"""`orderboard up` and `down` on AWS: nothing by default, nothing without consent, and nothing forgotten."""

from collections.abc import Callable
from pathlib import Path

import pytest
from orderboard.burst.measured_system import Where
from orderboard.burst.options import BurstOptions
from orderboard.burst.targets.named import named_target
from orderboard.cli.app import app
from orderboard.cloud import commands
from orderboard.cloud.deployment import Deployment
from orderboard.cloud.plan import CloudPlan
from orderboard.cloud.removal import Removal
from orderboard.errors import RigError, UsageError
from orderboard.system.lifecycle import reset
from orderboard.system.state import State, StateFile
from orderboard.system.workspace import Workspace
from orderboard.terminal.progress import PlainScreen
from orderboard_stack.aws import Account
from orderboard_stack.backend import Endpoint
from rich.console import Console
from typer.testing import CliRunner

ROOT = Path(__file__).parents[4]
ACCOUNT = Account("123456789012", "arn:aws:iam::123456789012:user/ada", Endpoint("aws", None, "eu-west-1"))
SCREEN = PlainScreen(Console(quiet=True))


def recorded(*, on_ecs: bool) -> State:
    """A system on AWS, as `up` records it."""
    return State(
        backend="aws",
        endpoint_url=None,
        region="eu-west-1",
        stack_name="orderboard",
        prefix="orderboard",
        api_url="https://orders.example.com",
        processes=(),
        on_ecs=on_ecs,
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty state folder for this clone, an account, and a Docker that runs."""
    monkeypatch.setenv("ORDERBOARD_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(commands, "find_account", lambda _: ACCOUNT)
    monkeypatch.setattr(commands, "check_docker", lambda: None)
    monkeypatch.setattr(commands, "check_region", lambda *_: None)
    return Workspace(ROOT, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("up --services fargate --http", "Add --backend aws"),
        ("up --backend aws --services fargate", "--certificate ARN"),
        ("up --backend aws --services fargate --http --workers 2", "--workers cannot be used with --services fargate"),
        ("up --backend aws --services fargate --http --allow-faults", "--allow-faults cannot be used"),
        ("up --backend aws --services fargate --http --parameter x", "Give it as NAME=VALUE"),
        ("up --http", "Add --backend aws --services fargate"),
        ("up --account 123456789012", "--account is for --backend aws"),
        ("down --account 123456789012", "--account is for --backend aws"),
        ("down --backend localstack", "expected aws"),
    ],
)
def test_options_that_do_not_fit_are_refused(workspace: Workspace, options: str, said: str) -> None:
    """Exit 2, with the fix, before anything is asked or sent."""
    ended = CliRunner().invoke(app, options.split())

    assert ended.exit_code == 2
    assert said in " ".join(ended.output.split())
    assert StateFile(workspace.state_dir).read() is None


def test_the_endpoint_of_the_shell_goes_to_tasks_and_functions(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenTelemetry's variables count unless a parameter says otherwise; without a port it is refused at once."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.9:4318")
    plan = CloudPlan(ROOT / "deploy", http=True, given=commands.with_traces({}))
    assert {plan.parameters(name)["OtlpEndpoint"] for name in ("main", "services")} == {"http://10.0.0.9:4318"}
    assert commands.with_traces({"OtlpEndpoint": ""}) == {"OtlpEndpoint": ""}

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector")
    ended = CliRunner().invoke(app, ["up", "--backend", "aws", "--services", "fargate", "--http"])

    assert (ended.exit_code, "OtlpEndpoint=http://collector: expected" in ended.output) == (2, True)


def test_nothing_is_deployed_without_consent(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Account, region and cost are named; without --yes and without a person nothing is done."""
    plan = CloudPlan(ROOT / "deploy", http=True)

    with pytest.raises(UsageError, match=r"Nothing was done\. Add --yes"):
        commands.agree(workspace, plan, None, yes=False)

    asked = capsys.readouterr().err
    assert "123456789012 in eu-west-1" in asked
    assert "USD a month" in asked
    assert commands.agree(workspace, plan, None, yes=True) == ACCOUNT


def test_a_failure_half_way_names_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks that were made cost money: the error has the command that goes on, and the one that removes them."""
    deployment = Deployment(ACCOUNT, CloudPlan(ROOT / "deploy", http=True), ROOT, lambda *_: None, SCREEN)
    monkeypatch.setattr("orderboard.cloud.deployment.check_stack", lambda *_: None)
    monkeypatch.setattr(Deployment, "stack", lambda *_: None)

    def early(_: Deployment) -> None:
        raise RigError("no space left on device")

    def fail(_: Deployment) -> None:
        deployment._began = True
        raise RigError("no space left on device")

    def interrupt(_: Deployment) -> None:
        deployment._began = True
        raise KeyboardInterrupt

    monkeypatch.setattr(Deployment, "_deploy", early)
    with pytest.raises(RigError, match=r"\Ano space left on device\Z"):
        deployment.deploy()
    stays = "What was made stays and costs money.*orderboard down --backend aws"
    for end, error in ((fail, RigError), (interrupt, KeyboardInterrupt)):
        monkeypatch.setattr(Deployment, "_deploy", end)
        with pytest.raises(error, match=f"(?s){stays}"):
            deployment.deploy()


def test_a_system_on_aws_is_not_forgotten(workspace: Workspace) -> None:
    """Neither `up` nor `reset` replaces its record: it costs money until it is removed."""
    StateFile(workspace.state_dir).write(recorded(on_ecs=True))

    with pytest.raises(RigError, match=r"costs money: https://orders.example.com. Remove it first: orderboard down"):
        reset(workspace, consent=lambda _: None)


@pytest.fixture
def removals(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Account]]:
    """Set the stacks that are found, and what stays of them; returns the accounts that are emptied."""

    def found(*names: str, stays: tuple[str, ...] = ()) -> list[Account]:
        emptied: list[Account] = []

        def remove(removal: Removal) -> tuple[str, ...]:
            emptied.append(removal.account)
            return stays

        monkeypatch.setattr(Removal, "found", lambda _: names)
        monkeypatch.setattr(Removal, "remove", remove)
        return emptied

    return found


def test_down_removes_a_system_on_ecs(workspace: Workspace, removals: Callable[..., list[Account]]) -> None:
    """It asks first; then the record goes, and what stays and costs money is named."""
    emptied = removals("orderboard-services", "orderboard", stays=("backup before of orderboard-orders",))
    StateFile(workspace.state_dir).write(recorded(on_ecs=True))

    refused = CliRunner().invoke(app, ["down"])
    assert refused.exit_code == 2
    assert "deletes orderboard-services, orderboard, with all orders" in " ".join(refused.output.split())
    assert not emptied

    ended = CliRunner().invoke(app, ["down", "--yes"])

    assert ended.exit_code == 0
    assert "Stays and costs money: backup before of orderboard-orders" in ended.output
    assert [each.endpoint.region for each in emptied] == ["eu-west-1"]
    assert StateFile(workspace.state_dir).read() is None


def test_down_names_the_stack_of_local_services(workspace: Workspace) -> None:
    """Services that run here end; their stack in the account stays, and its cost is named."""
    StateFile(workspace.state_dir).write(recorded(on_ecs=False))

    ended = CliRunner().invoke(app, ["down"])

    said = " ".join(ended.output.split())
    assert "The stack orderboard stays in eu-west-1 with its orders, and costs about" in said
    assert "down --backend aws" in said


def test_down_finds_nothing(workspace: Workspace, removals: Callable[..., list[Account]]) -> None:
    """Another region is the likely reason."""
    removals()

    ended = CliRunner().invoke(app, ["down", "--backend", "aws", "--yes"])

    assert ended.exit_code == 1
    assert "has no stack orderboard in eu-west-1. Is that the region" in " ".join(ended.output.split())


def test_workers_on_ecs_are_not_processes(workspace: Workspace) -> None:
    """Signals cannot reach them: the error has the ways that can."""
    StateFile(workspace.state_dir).write(recorded(on_ecs=True))

    ended = CliRunner().invoke(app, ["worker", "kill"])

    assert ended.exit_code == 1
    assert "The workers run on ECS, not here" in ended.output


def test_a_burst_on_it_knows_the_stack_and_no_process(workspace: Workspace) -> None:
    """--running finds order-api and the stack in the account; faults of processes are refused, as elsewhere."""
    StateFile(workspace.state_dir).write(recorded(on_ecs=True))

    target = named_target(BurstOptions(running=True), Where())

    assert target is not None
    assert (target.api_url, target.backend, target.stack_name) == ("https://orders.example.com", "aws", "orderboard")
    assert target.has_stack
    assert target.state is None
