"""Rules of permissions, networks and encryption: each is a function of the templates that lists its faults."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from unit.deploy.stacks import SERVICES, Deployment, Rule, regional_arn
from unit.stack.template_model import as_list
from unit.stack.test_who_may_do_what import questions, simulator

# Each wildcard, and why AWS allows nothing else.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
WILDCARDS: Final[Mapping[tuple[str, str], str]] = {
    ("ecr:GetAuthorizationToken", "*"): "names no resource",
    ("ecs:DiscoverPollEndpoint", "*"): "names no resource",
    ("secretsmanager:GetSecretValue", "-??????"): "AWS adds six characters to a secret's name",
    ("s3:GetObject", "-starport-layer-bucket/*"): "the layers of all images are in one bucket of AWS",
    ("logs:CreateLogStream", ":*"): "an action on a log group's streams",
    ("logs:PutLogEvents", ":*"): "an action on a log group's streams",
    ("ecs:Poll", "/*"): "the ids of instances are not known before",
    ("ecs:StartTelemetrySession", "/*"): "the ids of instances are not known before",
    ("ecs:UpdateContainerInstancesState", "/*"): "the ids of instances are not known before",
}
_OUR_ACCOUNT: Final = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
_IMAGE: Final = ("BatchGetImage", "GetDownloadUrlForLayer")


def no_policy_has_a_wildcard_without_a_reason(found: Deployment) -> Iterator[str]:
    """Least privilege: named actions on named resources, and no principal of another account."""
    for template in (found.network, found.images, found.services):
        for name, statement in template.statements():
            for action in as_list(statement["Action"]):
                for resource in map(found.text, as_list(statement.get("Resource", []))):
                    excused = any(action == one and resource.endswith(end) for one, end in WILDCARDS)
                    if "*" in action or (re.search(r"[*?]", resource) and not excused):
                        yield f"{name}: {action} on {resource}"
            ours = statement.get("Condition") == _OUR_ACCOUNT or "s3:GetObject" in as_list(statement["Action"])
            if statement.get("Principal") == "*" and not ours:
                yield f"{name}: not only this account"


def tasks_have_the_roles_of_their_services(found: Deployment) -> Iterator[str]:
    """The code runs with the role that template.yaml makes for its service, and ECS starts it with another."""
    for service, name in SERVICES.items():
        task = found.services.properties(f"{name}Task")
        role = found.text(found.main.properties(f"{name}Role")["RoleName"])
        if found.text(task["TaskRoleArn"]) != f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{role}":
            yield f"{service}: runs with {found.text(task['TaskRoleArn'])}"
        if found.text(task["ExecutionRoleArn"]) != f"${{{name}ExecutionRole.Arn}}":
            yield f"{service}: is started with {found.text(task['ExecutionRoleArn'])}"


def execution_roles_start_their_own_service_only(found: Deployment) -> Iterator[str]:
    """ECS may read the service's image, write its logs, and read its secrets, if it has any."""
    for service, name in SERVICES.items():
        wanted = {
            ("ecr:GetAuthorizationToken", "*"),
            *((f"ecr:{each}", regional_arn("ecr", f"repository/orderboard-{service}")) for each in _IMAGE),
            *((f"logs:{each}", f"${{{name}Logs.Arn}}") for each in ("CreateLogStream", "PutLogEvents")),
        }
        if found.secrets(service):
            wanted.add(("secretsmanager:GetSecretValue", "${ApiToken}"))
        has = set(found.granted(found.services, f"{name}ExecutionRole"))
        yield from (f"{service}: {action} on {resource} is missing" for action, resource in sorted(wanted - has))
        yield from (f"{service}: {action} on {resource} is not needed" for action, resource in sorted(has - wanted))


@cache
def allowed_to_tasks() -> frozenset[tuple[str, str]]:
    """The actions that template.yaml allows the roles of tasks, each with its resource as Deployment.text writes it."""
    return frozenset(
        (action, regional_arn(arn.split(":")[2], arn.split(":", 5)[5]))
        for role in ("OrderApiRole", "WorkerRole")
        for action, arn in questions()
        if simulator().role(role, action, arn) == "allowed"
    )


def endpoints_let_through_what_the_roles_allow(found: Deployment) -> Iterator[str]:
    """An endpoint for each service that a task calls; its policy names their actions, no other, and their resources."""
    needed: dict[str, set[str]] = {"s3": {"s3:GetObject"}}
    for action, _ in allowed_to_tasks():
        needed.setdefault(action.split(":")[0], set()).add(action)
    for name in SERVICES.values():
        for action, _ in found.granted(found.services, f"{name}ExecutionRole"):
            for service in ("ecr.api", "ecr.dkr") if action.startswith("ecr:") else (action.split(":")[0],):
                needed.setdefault(service, set()).add(action)
    for action, _ in found.granted(found.services, "InstanceRole"):
        for service in ("ecs", "ecs-agent", "ecs-telemetry"):
            needed.setdefault(service, set()).add(action)
    endpoints = found.endpoints()
    yield from (f"{service}: no endpoint" for service in sorted(needed.keys() - endpoints.keys()))
    for service, name in endpoints.items():
        lets = {action for action, _ in found.granted(found.network, name)}
        for action in sorted(lets ^ needed.get(service, set())):
            yield f"{name}: {action} is {'not needed' if action in lets else 'missing'}"
    through = {each for name in endpoints.values() for each in found.granted(found.network, name)}
    yield from (f"{action} on {resource}: no endpoint lets it" for action, resource in allowed_to_tasks() - through)


def only_the_load_balancer_is_public(found: Deployment) -> Iterator[str]:
    """Tasks and instances have no public address, and only the load balancer's group lets callers in."""
    for name, kind, resource in found.everything():
        properties = resource.get("Properties", {})
        if properties.get("MapPublicIpOnLaunch") or "AssociatePublicIpAddress" in str(properties):
            yield f"{name}: gives public addresses"
        if kind == "AWS::ECS::Service":
            address = properties["NetworkConfiguration"]["AwsvpcConfiguration"]
            if "DISABLED" not in str(address["AssignPublicIp"]) or "PrivateSubnet" not in str(address["Subnets"]):
                yield f"{name}: in a public subnet"
        rules = properties.get("SecurityGroupIngress", [])
        rules = [*rules, properties] if kind == "AWS::EC2::SecurityGroupIngress" else rules
        if name not in ("LoadBalancerSecurityGroup", "EndpointSecurityGroup") and "CidrIp" in str(rules):
            yield f"{name}: lets addresses in"
        if name == "EndpointSecurityGroup" and {found.text(each["CidrIp"]) for each in rules} != {"${VpcCidr}"}:
            yield f"{name}: lets more than the VPC in"


def data_is_encrypted(found: Deployment) -> Iterator[str]:
    """Images and disks at rest, callers' connections and those to AWS in transit."""
    for name, properties in found.images.of_type("AWS::ECR::Repository"):
        if not properties.get("EncryptionConfiguration"):
            yield f"{name}: not encrypted"
    for disk in found.services.properties("InstanceTemplate")["LaunchTemplateData"]["BlockDeviceMappings"]:
        if disk["Ebs"].get("Encrypted") is not True:
            yield f"InstanceTemplate: {disk['DeviceName']} is not encrypted"
    listener = str(found.services.properties("Listener"))
    if "TLS13" not in listener or "HTTPS" not in str(found.services.properties("RedirectToTls")["DefaultActions"]):
        yield "Listener: no TLS"
    if "AllowHttp" not in str(found.documents["services"]["Rules"]["TlsOrHttpOnPurpose"]):
        yield "Listener: HTTP without a word"
    for name, kind, resource in found.everything():
        for rule in resource.get("Properties", {}).get("SecurityGroupEgress", []):
            if kind == "AWS::EC2::SecurityGroup" and "CidrIp" in rule and rule["ToPort"] != 443:
                yield f"{name}: leaves on port {rule['ToPort']}"
        if kind == "AWS::EC2::SecurityGroupEgress" and "Otlp" not in str(resource.get("Condition")):
            yield f"{name}: leaves without a word"


RULES: Final[tuple[Rule, ...]] = (
    no_policy_has_a_wildcard_without_a_reason,
    tasks_have_the_roles_of_their_services,
    execution_roles_start_their_own_service_only,
    endpoints_let_through_what_the_roles_allow,
    only_the_load_balancer_is_public,
    data_is_encrypted,
)
