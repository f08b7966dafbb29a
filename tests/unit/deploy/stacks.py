"""The templates of deploy/ beside that of localstack/, as values to ask questions of."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from orderboard_stack.deploy import TEMPLATE
from template_file import document
from unit.stack.template_model import Template, as_list

ROOT: Final = Path(__file__).parents[3]
FILES: Final[Mapping[str, Path]] = {
    "main": TEMPLATE,
    **{name: ROOT / "deploy" / f"{name}.yaml" for name in ("network", "images", "services")},
}
SERVICES: Final = {"order-api": "OrderApi", "worker": "Worker"}


def load() -> dict[str, Any]:
    """All templates by name, in new objects that a test may spoil."""
    return {name: document(path) for name, path in FILES.items()}


class Deployment:
    """Questions to the templates that are deployed together."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self.documents = documents
        self.main, self.network, self.images, self.services = (
            Template(documents[name]) for name in ("main", "network", "images", "services")
        )

    def default(self, name: str) -> Any:
        """The default of a parameter of services.yaml."""
        return self.documents["services"]["Parameters"][name].get("Default")

    def text(self, value: Any) -> str:
        """A value as text with the default prefix, in which parts that only AWS knows stay as `${...}`."""
        match value:
            case {"Ref": str(name)}:
                default = self.documents["services"]["Parameters"].get(name, {}).get("Default")
                return f"${{{name}}}" if default is None else str(default)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{(\w+)\}", lambda found: self.text({"Ref": found[1]}), text)
            case {"Fn::Sub": [str(text), dict()]}:
                return text
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"${{{name}.{attribute}}}"
        return str(value)

    def container(self, service: str) -> Mapping[str, Any]:
        """The one container of a service's task."""
        [container] = self.services.properties(f"{SERVICES[service]}Task")["ContainerDefinitions"]
        found: Mapping[str, Any] = container
        return found

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service's container, without those of a condition."""
        return {each["Name"]: self.text(each["Value"]) for each in self._variables(service) if "Name" in each}

    def optional(self, service: str) -> dict[str, tuple[str, str]]:
        """The variables that only a condition sets: the condition and the value."""
        return {
            chosen["Name"]: (condition, self.text(chosen["Value"]))
            for each in self._variables(service)
            if "Fn::If" in each
            for condition, chosen, _ in [each["Fn::If"]]
        }

    def _variables(self, service: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.container(service)["Environment"]
        return found

    def secrets(self, service: str) -> set[str]:
        """The names of the variables that come from a secret."""
        return {each["Name"] for each in self.container(service).get("Secrets", ())}

    def attribute(self, resource: str, kind: str, name: str) -> str:
        """An attribute of the load balancer or of its targets."""
        found = {each["Key"]: each["Value"] for each in self.services.properties(resource)[kind]}
        return str(found[name])

    def granted(self, template: Template, name: str) -> Iterator[tuple[str, str]]:
        """The actions and resources, as text, of the policies of a role or an endpoint."""
        for resource, statement in template.statements():
            if resource == name and "Resource" in statement:
                for action in as_list(statement["Action"]):
                    yield from ((action, self.text(each)) for each in as_list(statement["Resource"]))

    def endpoints(self) -> dict[str, str]:
        """The endpoints of the network by the service that they lead to."""
        return {
            self.text(properties["ServiceName"]).removeprefix("com.amazonaws.${AWS::Region}."): name
            for name, properties in self.network.of_type("AWS::EC2::VPCEndpoint")
        }

    def everything(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Each resource of deploy/, with its name and type."""
        for template in (self.network, self.images, self.services):
            for name, resource in template.resources.items():
                yield name, resource["Type"], resource


Rule = Callable[[Deployment], Iterator[str]]


def regional_arn(service: str, rest: str) -> str:
    """The ARN of something in the account and region of the stack, as Deployment.text writes it."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"
