"""The plan of a deployment: the account, the stacks and their parameters, checked before anything is created."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from orderboard_stack.deploy import TEMPLATE

from orderboard.cloud.parameters import Parameter, parameters_of
from orderboard.errors import UsageError
from orderboard.system.state import WorkerCompute

_CERTIFICATE: Final = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):([0-9]{12}):certificate/[A-Za-z0-9-]+")
_PREFIX: Final = re.compile(r"[a-z][a-z0-9-]{0,21}")
# Set by the deployment itself.
_OURS: Final = (
    *("Prefix", "OrderApiImage", "WorkerImage", "WorkerRunsOn", "WorkerCompute"),
    *("NotifierCodeBucket", "NotifierCodeKey", "WorkerCodeKey", "CertificateArn", "AllowHttp"),
)
_BOUNDS: Final = (("ApiMinTasks", "ApiMaxTasks"), ("WorkerMinTasks", "WorkerMaxTasks"))
_NETWORK: Final = ("VpcId", "PublicSubnetIds", "PrivateSubnetIds")


@dataclass(frozen=True)
class CloudPlan:
    """The stacks to deploy. `given` are the user's parameters, of any of the templates."""

    folder: Path  # of the templates beside template.yaml
    stack_name: str = "orderboard"
    prefix: str = "orderboard"
    certificate_arn: str | None = None
    http: bool = False
    worker: WorkerCompute = "container"
    architecture: str = "x86-64"
    given: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def check(self) -> None:
        """Raise UsageError if it cannot be deployed."""
        if not _PREFIX.fullmatch(self.prefix):
            raise UsageError(
                f"The prefix {self.prefix!r} is not valid here: expected lower-case letters, digits and hyphens, a "
                "letter first, 22 at most."
            )
        if self.certificate_arn is None and not self.http:
            raise UsageError(
                "order-api needs a certificate for TLS: --certificate ARN, of AWS Certificate Manager in this region. "
                "Without one: --http, which lets others on the way read the token and the orders."
            )
        if self.certificate_arn is not None:
            self._check_certificate(self.certificate_arn)
        for name, value in self.given.items():
            self._check_parameter(name, value)
        for least, most in _BOUNDS:
            self._check_bounds(least, most)
        given = [name for name in _NETWORK if self.given.get(name)]
        if given and len(given) < len(_NETWORK):
            missing = ", ".join(name for name in _NETWORK if name not in given)
            raise UsageError(f"--parameter {given[0]}: a VPC of yours also needs --parameter {missing}.")

    def _check_parameter(self, name: str, value: str) -> None:
        """Raise UsageError for one that is not the user's, or a value that CloudFormation would refuse half-way."""
        declared = [known[name] for each in ("main", "network", "services") if name in (known := self.known(each))]
        if not declared or name in _OURS:
            raise UsageError(f"--parameter {name}: not a parameter of template.yaml, network.yaml or services.yaml.")
        for each in declared:
            if (expected := each.expected(value)) is not None:
                raise UsageError(f"--parameter {name}={value}: expected {expected}.")

    def _check_bounds(self, least: str, most: str) -> None:
        low, high = (self.value("services", name) for name in (least, most))
        for name, value in ((least, low), (most, high)):
            if not value.isdecimal():
                raise UsageError(f"--parameter {name}={value}: expected a whole number of tasks.")
        if int(low) > int(high):
            raise UsageError(f"{least} is {low}, but {most} is {high}. Raise it: --parameter {most}={low}.")

    def check_region(self, region: str) -> None:
        """Raise UsageError if its certificate is in another region."""
        match = _CERTIFICATE.fullmatch(self.certificate_arn or "")
        if match is not None and match[1] != region:
            raise UsageError(f"--certificate: the certificate is in {match[1]}, but the services go to {region}.")

    def _check_certificate(self, arn: str) -> None:
        if self.http:
            raise UsageError("--certificate and --http exclude each other: with a certificate, HTTP leads to HTTPS.")
        if _CERTIFICATE.fullmatch(arn) is None:
            raise UsageError(f"--certificate {arn!r} is not the ARN of a certificate in AWS Certificate Manager.")

    def template(self, name: str) -> Path:
        """The file of a template: main, network, images or services."""
        return TEMPLATE if name == "main" else self.folder / f"{name}.yaml"

    def name_of(self, name: str) -> str:
        """The stack's name."""
        return self.stack_name if name == "main" else f"{self.stack_name}-{name}"

    def known(self, name: str) -> dict[str, Parameter]:
        """The parameters of a template."""
        return parameters_of(self.template(name).read_text())

    def parameters(self, name: str) -> dict[str, str]:
        """The parameters of a template that do not depend on another stack."""
        ours = {"Prefix": self.prefix}
        if name == "services":
            ours |= {"Architecture": self.architecture, "CertificateArn": self.certificate_arn or ""}
            ours |= {"AllowHttp": str(self.http).lower()}
        return ours | {key: value for key, value in self.given.items() if key in self.known(name)}

    def value(self, name: str, parameter: str) -> str:
        """The value of a parameter, given or by default."""
        given = self.parameters(name).get(parameter)
        return (self.known(name)[parameter].default or "") if given is None else given

    @property
    def vpc_id(self) -> str | None:
        """The user's VPC, if there is one."""
        return self.given.get("VpcId") or None

    @property
    def zones(self) -> int:
        """The number of Availability Zones."""
        if self.vpc_id is not None:
            return len(self.given["PublicSubnetIds"].split(","))
        return int(self.value("network", "ZoneCount"))

    @property
    def egress(self) -> str:
        """The tasks' way to AWS."""
        return self.value("network", "Egress")

    @property
    def capacity(self) -> str:
        """The tasks' machines: fargate or ec2."""
        return self.value("services", "Capacity")

    @property
    def instance_type(self) -> str:
        """The instances, with ec2."""
        return self.value("services", "InstanceType")

    @property
    def task_size(self) -> str:
        """The size of a task."""
        return self.value("services", "TaskSize")

    @property
    def api_tasks(self) -> int:
        """The least number of tasks of order-api."""
        return int(self.value("services", "ApiMinTasks"))

    @property
    def workers(self) -> int:
        """The least number of tasks of the worker: none if it is a Lambda."""
        return 0 if self.worker == "lambda" else int(self.value("services", "WorkerMinTasks"))
