"""The deployment to an account: the stacks in their order, the images between them, and the wait for order-api."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orderboard_stack.aws import Account
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.deploy import create_or_update
from orderboard_stack.outputs import StackOutputs
from orderboard_stack.process import answers
from orderboard_stack.stack import Stack

from orderboard.cloud.checks import check_stack
from orderboard.cloud.images import Image, Registry, Run, publish
from orderboard.cloud.plan import CloudPlan
from orderboard.cloud.problems import explained
from orderboard.cloud.removal import Removal
from orderboard.errors import RigError
from orderboard.system.deploy import deploy_stack, pack_functions
from orderboard.terminal.progress import PlainScreen, Screen, Task

if TYPE_CHECKING:
    import boto3

STACKS: Final = ("main", "network", "images", "services")
_WITHIN_S: Final = 1800.0  # CloudFormation waits for the services, and the circuit breaker takes its time
_ANSWERS_WITHIN_S: Final = 180.0  # until the load balancer's name is known everywhere
_LEFT: Final = (
    "What was made stays and costs money. The same command goes on from here; this one removes it: "
    "orderboard down --backend aws"
)


@dataclass(frozen=True)
class Deployed:
    """A deployment. reachable: order-api answered from here."""

    outputs: Mapping[str, str]  # of the stack of the services
    stack: StackOutputs
    reachable: bool

    @property
    def api_url(self) -> str:
        """The address of order-api."""
        return self.outputs["ApiUrl"]


@dataclass
class Deployment:
    """One run: of `orderboard up`."""

    account: Account
    plan: CloudPlan
    root: Path  # of the clone, which the images are built from
    run: Run
    screen: Screen
    answers: Callable[[str], bool] = answers
    _began: bool = field(default=False, init=False)

    def deploy(self) -> Deployed:
        """Create or update everything. Raises RigError; what was made by then stays, as the error says."""
        try:
            with explained(self.account.endpoint.region):
                for name in STACKS:
                    check_stack(self.stack(name, lambda _: None), self.account.endpoint.region)
                return self._deploy()
        except RigError as exc:
            raise RigError(f"{exc}\n{_LEFT}" if self._began else str(exc)) from exc
        except KeyboardInterrupt as exc:
            if self._began:
                raise KeyboardInterrupt(f"Interrupted. {_LEFT}") from exc
            raise

    @cached_property
    def session(self) -> "boto3.Session":
        """The session of all clients."""
        return self.account.endpoint.session()

    def stack(self, name: str, progress: Callable[[str], None]) -> Stack:
        """A stack of the plan."""
        return Stack(
            self.session,
            self.account.endpoint.endpoint_url,
            self.plan.name_of(name),
            progress=progress,
            within_s=_WITHIN_S,
            tags={"orderboard": self.plan.prefix},
        )

    def _deploy(self) -> Deployed:
        main = self._main()
        network = self._subnets()
        repositories = self._apply("images", {})
        on_lambda = main.worker_function is not None
        images = self._images(repositories, on_lambda=on_lambda)
        services = self.stack("services", lambda _: None)
        if services.state() is None or services.is_unusable():
            Removal(self.account, self.plan.stack_name, self.plan.prefix, self.screen).clear_services()
        outputs = self._apply(
            "services",
            {
                **network,
                "OrderApiImage": images["order-api"],
                "WorkerImage": images.get("worker", ""),
                "WorkerRunsOn": "lambda" if on_lambda else "tasks",
                "WorkVisibilityTimeoutS": main.work_visibility_timeout_s,
            },
        )
        with self.screen.task(f"order-api at {outputs['ApiUrl']}"):
            reachable = self._reached(outputs["ApiUrl"])
        return Deployed(outputs, main, reachable)

    def _main(self) -> StackOutputs:
        endpoint, plan = self.account.endpoint, self.plan
        with tempfile.TemporaryDirectory() as folder:
            with self.screen.task("Functions packed") as task:
                zips = pack_functions(endpoint, Path(folder), plan.worker, task.detail)
            with self._shown("main") as progress:
                given = {key: value for key, value in plan.parameters("main").items() if key != "Prefix"}
                return deploy_stack(
                    endpoint,
                    zips,
                    stack_name=plan.stack_name,
                    prefix=plan.prefix,
                    parameters=given,
                    progress=progress,
                )

    def _subnets(self) -> dict[str, str]:
        if self.plan.vpc_id is not None:
            return {}
        outputs = self._apply("network", {})
        return {name: outputs[name] for name in ("VpcId", "PublicSubnetIds", "PrivateSubnetIds")}

    def _apply(self, name: str, values: Mapping[str, str]) -> dict[str, str]:
        with self._shown(name) as progress:
            stack = self.stack(name, progress)
            template = self.plan.template(name).read_text()
            capabilities = self.account.endpoint.capabilities
            create_or_update(stack, template, {**values, **self.plan.parameters(name)}, capabilities, progress)
        return stack.outputs()

    def _images(self, repositories: Mapping[str, str], *, on_lambda: bool) -> dict[str, str]:
        keys = {"order-api": "OrderApiRepositoryUri"} | ({} if on_lambda else {"worker": "WorkerRepositoryUri"})
        ecr = self.session.client("ecr", endpoint_url=self.account.endpoint.endpoint_url, config=CLIENT_CONFIG)
        with self.screen.task("Images") as task:
            return publish(
                {service: Image(service, self.root, self.plan.architecture) for service in keys},
                {service: repositories[key] for service, key in keys.items()},
                Registry(ecr, self.run),
                self.run,
                self._lines(task),
            )

    @contextmanager
    def _shown(self, name: str) -> Iterator[Callable[[str], None]]:
        with self.screen.task(f"Stack {self.plan.name_of(name)}") as task:
            self._began = True
            yield self._lines(task)

    def _lines(self, task: Task) -> Callable[[str], None]:
        """Return where events go: past, on a terminal; elsewhere each is a line."""
        return self.screen.say if isinstance(self.screen, PlainScreen) else task.detail

    def _reached(self, url: str) -> bool:
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while not (found := self.answers(f"{url}/healthz")) and time.monotonic() < deadline:
            time.sleep(3)
        return found
