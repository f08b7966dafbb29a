"""A simulator of access: it decides who may do what by the policies of a template, as AWS does.

An explicit Deny counts most, then an Allow; without either the answer is no. A role needs an Allow in a policy that is
attached to it, or one that names it in the resource's policy; a service and another account need the latter.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from localbus.cloudformation.plan import StackContext, make_plan
from localbus.cloudformation.template.template import parse
from localbus.resource_policy import Principal, allows
from unit.stack.template_model import as_list

Decision = Literal["allowed", "implicitDeny", "explicitDeny"]  # the words of iam:SimulatePrincipalPolicy
Statement = Mapping[str, Any]

REGION: Final = "eu-west-1"
ACCOUNT: Final = "111122223333"
STRANGER: Final = "444455556666"  # another account

# The property that names a resource, and its ARN.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_ARNS: Final = {
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::Events::EventBus": ("Name", "events:{region}:{account}:event-bus/{name}"),
    "AWS::Events::Rule": ("Name", "events:{region}:{account}:rule/{bus}/{name}"),
    "AWS::Events::Archive": ("ArchiveName", "events:{region}:{account}:archive/{name}"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:{region}:{account}:alarm:{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "iam::{account}:policy/{name}"),
}
_REF_IS_ARN: Final = {"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}


@dataclass(frozen=True)
class _Role(Principal):
    """A role. A resource policy that names its account alone leaves the decision to the role's own policies."""

    arn: str = ""

    __hash__ = Principal.__hash__

    def is_named_by(self, element: Any) -> bool:
        named = as_list(element.get("AWS", [])) if isinstance(element, Mapping) else [element]
        return "*" in named or self.arn in named


class Simulator:
    """A template with all of its conditions and policies, as deployed in ACCOUNT and REGION."""

    def __init__(self, template: str, parameters: Mapping[str, str]) -> None:
        context = StackContext("orderboard", "stack", ACCOUNT, REGION, (), lambda name: name, _unresolved, True)
        self._plan = make_plan(parse(template), parameters, context)
        self._functions = self._plan.functions(self)
        self.types = {name: one.type for name, one in self._plan.active.items()}
        self.arn = cache(self._arn)
        self._own: dict[str, list[Statement]] = defaultdict(list)  # by the role's ARN
        self._of_resource: dict[str, list[Statement]] = defaultdict(list)  # by the resource's ARN
        for name in self.types:
            self._read_policies(name, self.properties(name))

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource, resolved."""
        found = self._functions.resolve(dict(self._plan.active[logical_id].properties))
        assert isinstance(found, dict)
        return found

    def ref(self, logical_id: str) -> str:
        """The value of Ref; the logical id for a type that no policy names."""
        kind = self.types[logical_id]
        if kind not in _ARNS or kind in _REF_IS_ARN:
            return self.arn(logical_id)
        return f"https://sqs/{self._name(logical_id)}" if kind == "AWS::SQS::Queue" else self._name(logical_id)

    def attribute(self, logical_id: str, name: str) -> str:
        """The value of Fn::GetAtt."""
        if name == "Arn":
            return self.arn(logical_id)
        return self._name(logical_id) if name == "QueueName" else f"{logical_id}.{name}"

    def _arn(self, logical_id: str) -> str:
        """The ARN of a resource; its logical id for a type that no policy names."""
        kind = self.types[logical_id]
        if kind not in _ARNS:
            return logical_id
        bus = self.properties(logical_id).get("EventBusName")
        form = _ARNS[kind][1].format(region=REGION, account=ACCOUNT, name=self._name(logical_id), bus=bus)
        return f"arn:aws:{form}"

    def role(self, role: str, action: str, resource: str, **keys: str) -> Decision:
        """Decide for a role (logical id) on a resource (ARN). keys: condition keys, with __ for the colon."""
        principal = _Role(account=ACCOUNT, context=_context(keys), arn=self.arn(role))
        own = [{**each, "Principal": "*"} for each in self._own[self.arn(role)]]
        return _decide(own + self._of_resource[_base(resource)], principal, action, resource)

    def service(self, service: str, action: str, resource: str, source: str) -> Decision:
        """Decide for a service that acts on behalf of a source, such as a topic (ARN)."""
        keys = {"aws__SourceArn": source, "aws__SourceAccount": source.split(":")[4]}
        principal = Principal(service=service, context=_context(keys))
        return _decide(self._of_resource[resource], principal, action, resource)

    def stranger(self, action: str, resource: str) -> Decision:
        """Decide for another account whose own policies allow everything."""
        return _decide(self._of_resource[_base(resource)], Principal(account=STRANGER), action, resource)

    def _name(self, logical_id: str) -> str:
        return str(self.properties(logical_id)[_ARNS[self.types[logical_id]][0]])

    def _read_policies(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        match self.types[logical_id]:
            case "AWS::IAM::Role":
                documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
                for name, kind in self.types.items():
                    if kind == "AWS::IAM::ManagedPolicy" and self.arn(name) in properties.get("ManagedPolicyArns", []):
                        documents.append(self.properties(name)["PolicyDocument"])
                self._own[self.arn(logical_id)] += [each for document in documents for each in document["Statement"]]
                self._of_resource[self.arn(logical_id)] += properties["AssumeRolePolicyDocument"]["Statement"]
            case "AWS::SQS::QueuePolicy":
                for url in properties["Queues"]:
                    [queue] = [name for name in self.types if self.ref(name) == url]
                    self._of_resource[self.arn(queue)] += properties["PolicyDocument"]["Statement"]
            case "AWS::SNS::TopicPolicy":
                for topic in properties["Topics"]:
                    self._of_resource[topic] += properties["PolicyDocument"]["Statement"]
            case kind:
                assert not kind.endswith(("Policy", "Permission")) or kind == "AWS::IAM::ManagedPolicy", kind


def _base(resource: str) -> str:
    """Return the ARN whose policy counts: that of the table for an index."""
    return resource.partition("/index/")[0]


def _context(keys: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("__", ":").lower(): value for name, value in keys.items()}


def _decide(statements: list[Statement], principal: Principal, action: str, resource: str) -> Decision:
    if _allowed(statements, "Deny", principal, action, resource):
        return "explicitDeny"
    return "allowed" if _allowed(statements, "Allow", principal, action, resource) else "implicitDeny"


def _allowed(statements: list[Statement], effect: str, principal: Principal, action: str, resource: str) -> bool:
    """Return whether statements with this effect apply."""
    # A trust policy has no Resource: it is that of its role.
    applied = [{"Resource": resource, **each, "Effect": "Allow"} for each in statements if each["Effect"] == effect]
    policy = json.dumps({"Version": "2012-10-17", "Statement": applied})
    return bool(applied) and allows(policy, principal, action, resource)


async def _unresolved(value: Any) -> Any:
    return value
