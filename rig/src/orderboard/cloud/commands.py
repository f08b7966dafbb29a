"""`orderboard up` and `down` on AWS: check, name the cost, ask, act, and record what runs."""

import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from orderboard_contracts.otlp_settings import endpoint_of
from orderboard_stack.aws import Account
from orderboard_stack.function_zip import host_architecture

from orderboard.cloud.checks import check_region
from orderboard.cloud.deployment import Deployed, Deployment
from orderboard.cloud.images import check_docker, docker
from orderboard.cloud.plan import CloudPlan
from orderboard.cloud.presentation import cost_of_main, question, whose
from orderboard.cloud.problems import explained
from orderboard.cloud.removal import Removal, refuse_nothing
from orderboard.errors import RigError
from orderboard.system.backends import find_account
from orderboard.system.state import State, StateFile, WorkerCompute
from orderboard.system.telemetry import asked_for
from orderboard.system.workspace import Workspace
from orderboard.terminal.progress import Screen, confirm

_LOG: Final = "images.log"


def plan_of(
    workspace: Workspace,
    *,
    certificate: str | None = None,
    http: bool = False,
    worker: WorkerCompute = "container",
    given: Mapping[str, str] = MappingProxyType({}),
) -> CloudPlan:
    """The plan of these options, for images of this machine's architecture."""
    return CloudPlan(
        workspace.root / "deploy",
        certificate_arn=certificate,
        http=http,
        worker=worker,
        architecture="arm64" if host_architecture() == "arm64" else "x86-64",
        given=given,
    )


def with_traces(given: Mapping[str, str]) -> dict[str, str]:
    """The parameters with the endpoint for spans, if OpenTelemetry's variables ask for traces and none is given."""
    return {**({"OtlpEndpoint": endpoint_of(os.environ, "traces")} if asked_for("traces") else {}), **given}


def agree(workspace: Workspace, plan: CloudPlan, account_id: str | None, *, yes: bool) -> Account:
    """Check everything that can be checked before, name account and cost, and go on only with the user's consent."""
    plan.check()
    _refuse_another(workspace)
    account = find_account(account_id)
    plan.check_region(account.endpoint.region)
    check_docker()
    with explained(account.endpoint.region):
        check_region(account, plan)
    confirm(question(account, plan), yes=yes)
    return account


def deploy(workspace: Workspace, account: Account, plan: CloudPlan, screen: Screen) -> Deployed:
    """Deploy, and record it for `status`, `down` and others."""
    workspace.logs_dir.mkdir(parents=True, exist_ok=True)
    log = workspace.logs_dir / _LOG
    log.unlink(missing_ok=True)
    state_file = StateFile(workspace.state_dir)
    with state_file.locked():
        deployed = Deployment(account, plan, workspace.root, docker(log), screen).deploy()
        state_file.write(
            State(
                backend="aws",
                endpoint_url=None,
                region=account.endpoint.region,
                stack_name=plan.stack_name,
                prefix=plan.prefix,
                api_url=deployed.api_url,
                processes=(),
                on_ecs=True,
            )
        )
    return deployed


def remove(
    workspace: Workspace, account_id: str | None, screen: Screen, *, state: State | None, yes: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Delete the stacks with everything in them; return their names, and what stays and costs money."""
    account = find_account(account_id)
    if state is not None and state.backend == "aws":
        account = replace(account, endpoint=replace(account.endpoint, region=state.region))
    stack_name, prefix = (state.stack_name, state.prefix) if state is not None else ("orderboard", "orderboard")
    removal = Removal(account, stack_name, prefix, screen)
    found = removal.found()
    refuse_nothing(found, account, stack_name)
    confirm(
        f"This deletes {', '.join(found)}, with all orders and messages in them, from {whose(account)}.",
        yes=yes,
    )
    left = removal.remove()
    state_file = StateFile(workspace.state_dir)
    if (recorded := state_file.read()) is not None and recorded.on_ecs:
        state_file.forget()
    return found, left


def stays(workspace: Workspace, state: State) -> str | None:
    """Name what a system on AWS leaves there when its services here end."""
    if state.backend != "aws":
        return None
    cost = cost_of_main(plan_of(workspace))
    return (
        f"The stack {state.stack_name} stays in {state.region} with its orders, and costs {cost}. To remove it: "
        "orderboard down --backend aws"
    )


def _refuse_another(workspace: Workspace) -> None:
    state = StateFile(workspace.state_dir).read()
    running = [] if state is None else [each.name for each in state.processes if each.find() is not None]
    if state is not None and running:
        raise RigError(
            f"A system is running here ({', '.join(running)}): {state.api_url}. End it first: orderboard down."
        )
