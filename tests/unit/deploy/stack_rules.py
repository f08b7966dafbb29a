"""Rules of deployments, scaling, alarms and names: each is a function of the templates that lists its faults."""

import math
import re
from collections.abc import Iterator
from typing import Final

from unit.deploy.stacks import FILES, SERVICES, Deployment, Rule, regional_arn
from unit.stack.template_model import referred

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_TEMPLATE_BYTES: Final = 51_200
MOST_NAME: Final = 32  # of a load balancer and of a target group


def deployments_roll_back(found: Deployment) -> Iterator[str]:
    """The circuit breaker is on, and a deployment starts new tasks before it ends old ones."""
    for name, properties in found.services.of_type("AWS::ECS::Service"):
        settings = properties["DeploymentConfiguration"]
        if settings["DeploymentCircuitBreaker"] != {"Enable": True, "Rollback": True}:
            yield f"{name}: no rollback"
        if settings["MinimumHealthyPercent"] < 100 or settings["MaximumPercent"] <= 100:
            yield f"{name}: fewer tasks during a deployment"
        if "DesiredCount" in properties:
            yield f"{name}: an update undoes what scaling did"


def services_scale_in_their_bounds(found: Deployment) -> Iterator[str]:
    """Each service has a scaling policy, and order-api two tasks at least."""
    if found.documents["services"]["Parameters"]["ApiMinTasks"]["MinValue"] < 2:
        yield "order-api: fewer than two tasks"
    for name in SERVICES.values():
        resource = found.services.properties(f"{name}Capacity").get("ResourceId")
        if f"{name}Service" not in referred(resource):
            yield f"{name}Service: does not scale"
        if f"{name}Capacity" not in referred(found.services.properties(f"{name}Scaling").get("ScalingTargetId")):
            yield f"{name}Service: no scaling policy"


def alarms_reach_the_alerts_topic(found: Deployment) -> Iterator[str]:
    """Its policy lets only alarms of this prefix publish."""
    topic = regional_arn("sns", str(found.text(found.main.properties("AlertsTopic")["TopicName"])))
    for name, properties in found.services.of_type("AWS::CloudWatch::Alarm"):
        for kind in ("AlarmActions", "OKActions"):
            if [found.text(each) for each in properties.get(kind, [])] != [topic]:
                yield f"{name}: {kind} lead elsewhere"
        if not found.text(properties["AlarmName"]).startswith("orderboard-"):
            yield f"{name}: the topic's policy does not let it"


def names_fit(found: Deployment) -> Iterator[str]:
    """Names start with the prefix, and fit with the longest one; a template fits into a request."""
    [longest] = re.findall(r"\{0,(\d+)\}", found.documents["services"]["Parameters"]["Prefix"]["AllowedPattern"])
    for name, kind, resource in found.everything():
        for key, value in resource.get("Properties", {}).items():
            most = MOST_NAME if key == "Name" and kind.startswith("AWS::ElasticLoadBalancing") else math.inf
            if len(found.text(value).removeprefix("orderboard")) + 1 + int(longest) > most:
                yield f"{name}: {key} does not fit"
            own = key == "Name" or (key.endswith("Name") and key.startswith(kind.split("::")[2][:4]))
            if own and kind != "AWS::Route53::RecordSet" and "Prefix" not in referred(value):
                yield f"{name}: {key} lacks the prefix"
    for name, path in FILES.items():
        if path.stat().st_size > MOST_TEMPLATE_BYTES:
            yield f"{name}: larger than {MOST_TEMPLATE_BYTES} bytes"


def nothing_names_a_place(found: Deployment) -> Iterator[str]:
    """No account, region, zone or partition is written down."""
    for name in ("network", "images", "services"):
        text = str({key: value for key, value in found.documents[name].items() if key != "Parameters"})
        text = re.sub(r"'(?:ecs-tasks|ec2)\.amazonaws\.com'", "", text)  # service principals are the same everywhere
        for wrong in re.findall(r"\b(?:us|eu|ap)-[a-z]+-\d[a-z]?\b|arn:aws:|amazonaws\.com\b|\b\d{12}\b", text):
            yield f"{name}: {wrong}"
    for zone in (each["AvailabilityZone"] for _, each in found.network.of_type("AWS::EC2::Subnet")):
        if "Fn::GetAZs" not in str(zone):
            yield f"network: {zone}"


RULES: Final[tuple[Rule, ...]] = (
    deployments_roll_back,
    services_scale_in_their_bounds,
    alarms_reach_the_alerts_topic,
    names_fit,
    nothing_names_a_place,
)
