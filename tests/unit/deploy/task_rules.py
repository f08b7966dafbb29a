"""Rules of what a task runs, beside the code of the services: each lists the faults of the templates."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from order_api.__main__ import _KEEP_ALIVE_S
from order_api.app import create_app
from order_api.settings import Settings as ApiSettings
from orderboard_contracts.otlp_settings import requested
from unit.deploy.stacks import SERVICES, Deployment, Rule
from worker.__main__ import _CLOSING_S
from worker.settings import Settings as WorkerSettings

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html: stopTimeout on Fargate
MOST_STOP_S: Final = 120
_SETTINGS: Final = {"order-api": ApiSettings, "worker": WorkerSettings}
_NAMED: Final = {
    "orders_topic_arn": "OrdersTopic",
    "bus_name": "Bus",
    "orders_table": "OrdersTable",
    "work_queue": "WorkQueue",
    "express_queue": "ExpressQueue",
}
_OF_THE_SDK: Final = "AWS_DEFAULT_REGION"  # botocore does not read AWS_REGION


def a_task_has_the_variables_that_its_settings_read(found: Deployment) -> Iterator[str]:
    """No variable that nothing reads, each that has no default, and the names that template.yaml gives."""
    for service, settings in _SETTINGS.items():
        fields = settings.model_fields
        environment, secrets = found.environment(service), found.secrets(service)
        given = {each.removeprefix("ORDERBOARD_").lower() for each in {*environment, *secrets} - {_OF_THE_SDK}}
        yield from (f"{service}: nothing reads {name}" for name in sorted(given - fields.keys()))
        required = {name for name, field in fields.items() if field.is_required()}
        yield from (f"{service}: {name} is missing" for name in sorted(required - given))
        for name in required & given:
            value = environment[f"ORDERBOARD_{name.upper()}"].rsplit(":", 1)[-1]
            [named] = [text for key, text in found.main.properties(_NAMED[name]).items() if key.endswith("Name")]
            if value != found.text(named):
                yield f"{service}: {name} {value} is not the name of {_NAMED[name]}"
        if _OF_THE_SDK not in environment:
            yield f"{service}: no region"


def an_endpoint_for_spans_reaches_each_task(found: Deployment) -> Iterator[str]:
    """OtlpEndpoint is a variable that turns traces on, and its port is open unless it is: without it, nothing is."""
    endpoint = "http://collector:4318"
    given = Deployment({**found.documents, "services": _with_default(found.documents["services"], endpoint)})
    for service, name in SERVICES.items():
        values = {key: value for key, (condition, value) in given.optional(service).items() if condition == "HasOtlp"}
        if not requested(values, "traces") or endpoint not in values.values():
            yield f"{service}: exports no spans"
        if requested(found.environment(service), "traces"):
            yield f"{service}: exports spans that nobody asked for"
        rule = found.services.resources.get(f"{name}OtlpEgress", {"Properties": {}})
        properties = rule["Properties"]
        ports = {str(properties.get(each)) for each in ("FromPort", "ToPort")}
        group = properties.get("GroupId") == {"Ref": f"{name}SecurityGroup"}
        if len(ports) != 1 or "OtlpEndpoint" not in str(ports) or not group:
            yield f"{service}: does not reach the endpoint"


def _with_default(document: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    parameters = document["Parameters"]
    return {
        **document,
        "Parameters": {**parameters, "OtlpEndpoint": {**parameters["OtlpEndpoint"], "Default": endpoint}},
    }


def the_token_is_a_secret(found: Deployment) -> Iterator[str]:
    """order-api is reachable, so it has a token, which stands in no variable."""
    if "ORDERBOARD_API_TOKEN" not in found.secrets("order-api"):
        yield "order-api: no token"
    for service in SERVICES:
        for name in found.environment(service):
            if re.search("TOKEN|SECRET|PASSWORD|ANONYMOUS", name):
                yield f"{service}: {name} stands in the task definition"


def a_task_ends_before_it_is_killed(found: Deployment) -> Iterator[str]:
    """The stop timeout is longer than the drain at its longest; a request ends before its task is stopped."""
    drain = found.documents["services"]["Parameters"]["WorkerDrainDeadlineS"]
    longest = float(drain["MaxValue"]) + _CLOSING_S
    poll_s = float(found.environment("worker")["ORDERBOARD_RECEIVE_WAIT_S"])
    if poll_s >= drain["MinValue"]:
        yield f"worker: polls for {poll_s:g} s, drains for {drain['MinValue']} s"
    stop_s = found.container("worker")["StopTimeout"]
    if not longest < stop_s <= MOST_STOP_S:
        yield f"worker: drains {longest:g} s, killed after {stop_s} s"
    api = ApiSettings.model_fields
    publish_s = api["api_publish_deadline_s"].default
    request_s = api["api_body_deadline_s"].default + publish_s
    if math.ceil(publish_s) + 1 >= found.container("order-api")["StopTimeout"]:
        yield "order-api: killed before it has drained"
    drain_s = float(found.attribute("OrderApiTargets", "TargetGroupAttributes", "deregistration_delay.timeout_seconds"))
    if drain_s <= request_s:
        yield f"order-api: requests take {request_s:g} s, deregistered after {drain_s:g} s"
    idle_s = float(found.attribute("LoadBalancer", "LoadBalancerAttributes", "idle_timeout.timeout_seconds"))
    if not request_s < idle_s < _KEEP_ALIVE_S:
        yield f"load balancer: idle timeout {idle_s:g} s, requests {request_s:g} s, kept alive {_KEEP_ALIVE_S} s"


def health_checks_ask_what_exists(found: Deployment) -> Iterator[str]:
    """The path and the port are the service's, open without a token, and do not depend on AWS."""
    paths = {getattr(route, "path", "") for route in create_app(_api_settings(found)).routes}
    targets = found.services.properties("OrderApiTargets")
    if targets["HealthCheckPath"] not in paths - {"/readyz"}:
        yield f"order-api: has no {targets['HealthCheckPath']}"
    port = found.environment("order-api")["ORDERBOARD_API_PORT"]
    [mapping] = found.container("order-api")["PortMappings"]
    [balancer] = found.services.properties("OrderApiService")["LoadBalancers"]
    ingress = found.services.properties("OrderApiIngress")
    ports = {mapping["ContainerPort"], balancer["ContainerPort"], targets["Port"], ingress["FromPort"]}
    if {str(each) for each in ports} != {port}:
        yield f"order-api: listens on {port}, not on {sorted(ports)}"
    command = " ".join(found.container("worker")["HealthCheck"]["Command"])
    if f"127.0.0.1:{found.environment('worker')['ORDERBOARD_WORKER_METRICS_PORT']}/livez" not in command:
        yield f"worker: checked by {command}"


def _api_settings(found: Deployment) -> ApiSettings:
    values = {key.removeprefix("ORDERBOARD_").lower(): value for key, value in found.environment("order-api").items()}
    return ApiSettings(**{**values, "api_token": "any"})  # type: ignore[arg-type]  # pydantic converts them


def logs_end(found: Deployment) -> Iterator[str]:
    """Log groups are the stack's, with a retention, and go with it; a container's logs do not hold it up."""
    for name, kind, resource in found.everything():
        if kind == "AWS::Logs::LogGroup":
            if "RetentionInDays" not in resource["Properties"]:
                yield f"{name}: kept for ever"
            if resource.get("DeletionPolicy") != "Delete":
                yield f"{name}: outlives the stack"
    for service, name in SERVICES.items():
        options = found.container(service)["LogConfiguration"]["Options"]
        if options["awslogs-group"] != {"Ref": f"{name}Logs"} or options["mode"] != "non-blocking":
            yield f"{service}: logs elsewhere, or holds up its container"


def a_stack_starts_from_its_images(found: Deployment) -> Iterator[str]:
    """A container's image is in the repository of its service, which goes with its stack."""
    for service, name in SERVICES.items():
        repository = found.images.properties(f"{name}Repository")
        if (
            not found.text(found.container(service)["Image"])
            .split("/")[1]
            .startswith(found.text(repository["RepositoryName"]))
        ):
            yield f"{service}: another repository"
        if repository.get("EmptyOnDelete") is not True or repository.get("ImageTagMutability") != "IMMUTABLE":
            yield f"{service}: images stay, or change"


def containers_are_confined(found: Deployment) -> Iterator[str]:
    """Nothing is written into a container, and it has no capabilities."""
    for service in SERVICES:
        container = found.container(service)
        if container.get("ReadonlyRootFilesystem") is not True:
            yield f"{service}: writes"
        if container["LinuxParameters"] != {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}}:
            yield f"{service}: has capabilities"


RULES: Final[tuple[Rule, ...]] = (
    a_task_has_the_variables_that_its_settings_read,
    an_endpoint_for_spans_reaches_each_task,
    the_token_is_a_secret,
    a_task_ends_before_it_is_killed,
    health_checks_ask_what_exists,
    logs_end,
    a_stack_starts_from_its_images,
    containers_are_confined,
)
