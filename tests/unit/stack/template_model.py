"""A CloudFormation template as values to ask questions of: what a Ref, GetAtt or Sub points at, and who allows what."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]


def as_list(value: Any) -> list[Any]:
    """IAM and CloudFormation write a list of one as the one."""
    return value if isinstance(value, list) else [value]


def metrics_of(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The metrics of an alarm's properties: its own, or those of its expression."""
    return [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query] or [alarm]


def referred(value: Any) -> set[str]:
    """The logical ids that a value points at, however deep."""
    if isinstance(value, Mapping):
        match dict(value):
            case {"Ref": str(name)}:
                return {name}
            case {"Fn::GetAtt": [str(name), *_]}:
                return {name}
            case {"Fn::Sub": str(text)}:
                return {name.split(".")[0] for name in re.findall(r"\$\{([A-Za-z0-9]+(?:\.[A-Za-z0-9.]+)?)\}", text)}
        return {name for each in value.values() for name in referred(each)}
    if isinstance(value, list):
        return {name for each in value for name in referred(each)}
    return set()


def one(value: Any) -> str:
    """The logical id that a value points at; an empty string where it points at none or at several."""
    names = referred(value) - {"Prefix"}
    return names.pop() if len(names) == 1 else ""


@dataclass(frozen=True)
class Edge:
    """One way that messages go: from a source (logical id) by a service principal to a queue."""

    source: str
    principal: str
    queue: str


class Template:
    """Questions to a template. Resources are named by their logical ids."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.resources: Mapping[str, Resource] = document["Resources"]

    def of_type(self, resource_type: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """All resources of a type with their properties."""
        for name, resource in self.resources.items():
            if resource["Type"] == resource_type:
                yield name, resource.get("Properties", {})

    def properties(self, name: str) -> Mapping[str, Any]:
        """A resource's properties; none for a resource that is not there."""
        properties: Mapping[str, Any] = self.resources.get(name, {}).get("Properties", {})
        return properties

    def number(self, value: Any) -> float:
        """A number, or the default of the parameter that stands for it."""
        if isinstance(value, Mapping):
            return float(self.document["Parameters"][value["Ref"]]["Default"])
        return float(value)

    def targets(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every rule's targets, each with the rule's name."""
        for name, properties in self.of_type("AWS::Events::Rule"):
            for target in properties.get("Targets", []):
                yield name, target

    def edges(self) -> Iterator[Edge]:
        """Every way that SNS or EventBridge sends to a queue, dead-letter queues included."""
        for _, properties in self.of_type("AWS::SNS::Subscription"):
            topic = one(properties["TopicArn"])
            if properties["Protocol"] == "sqs":
                yield Edge(topic, "sns.amazonaws.com", one(properties["Endpoint"]))
            if "RedrivePolicy" in properties:
                yield Edge(topic, "sns.amazonaws.com", one(properties["RedrivePolicy"]["deadLetterTargetArn"]))
        for rule, target in self.targets():
            if self.resources[one(target["Arn"])]["Type"] == "AWS::SQS::Queue":
                yield Edge(rule, "events.amazonaws.com", one(target["Arn"]))
            if "DeadLetterConfig" in target:
                yield Edge(rule, "events.amazonaws.com", one(target["DeadLetterConfig"]["Arn"]))

    def dead_letter_queues(self) -> set[str]:
        """Every queue that something else sends its failures to."""
        redrives = [properties.get("RedrivePolicy") for _, properties in self.of_type("AWS::SQS::Queue")]
        redrives += [properties.get("RedrivePolicy") for _, properties in self.of_type("AWS::SNS::Subscription")]
        redrives += [target.get("DeadLetterConfig") for _, target in self.targets()]
        return {name for each in redrives if each for name in referred(each) if name.endswith(("Dlq", "Queue"))}

    def statements(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every policy statement of every resource, with the resource's name."""
        for name, resource in self.resources.items():
            properties = resource.get("Properties", {})
            documents = [properties.get("PolicyDocument"), properties.get("AssumeRolePolicyDocument")]
            documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            for document in documents:
                for statement in document["Statement"] if document else ():
                    yield name, statement

    def allowed(self, role: str) -> set[tuple[str, str]]:
        """The permissions of a role by its inline and managed policies: pairs of an action and a logical id."""
        policies = {role} | referred(self.properties(role).get("ManagedPolicyArns", []))
        return {
            (action, resource)
            for name, statement in self.statements()
            if name in policies and statement["Effect"] == "Allow" and "Resource" in statement
            for action in as_list(statement["Action"])
            for resource in referred(statement["Resource"])
        }
