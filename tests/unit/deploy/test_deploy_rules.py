"""The templates keep every rule beside this module, and each rule finds the fault in templates spoilt on purpose."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from unit.deploy import security_rules, stack_rules, task_rules
from unit.deploy.stacks import Deployment, Rule, load

DOCUMENTS = load()
RULES = (*security_rules.RULES, *task_rules.RULES, *stack_rules.RULES)


def of(documents: Any, template: str, name: str) -> Any:
    """A resource's properties, to be spoilt."""
    return documents[template]["Resources"][name]["Properties"]


def container(documents: Any, service: str) -> Any:
    """The container of a task, to be spoilt."""
    return of(documents, "services", f"{service}Task")["ContainerDefinitions"][0]


def start_policy(documents: Any, role: str) -> Any:
    """The statements of an execution role, to be spoilt."""
    return of(documents, "services", role)["Policies"][0]["PolicyDocument"]["Statement"]


def endpoint(documents: Any, name: str) -> Any:
    """The statements of an endpoint's policy, to be spoilt."""
    return of(documents, "network", f"{name}Endpoint")["PolicyDocument"]["Statement"]


def without(documents: Any, service: str, variable: str) -> None:
    """Take a variable out of a task definition."""
    environment = container(documents, service)["Environment"]
    environment[:] = [each for each in environment if each.get("Name") != variable]


SPOILT: list[tuple[Rule, Callable[[Any], Any], str]] = [
    (
        security_rules.no_policy_has_a_wildcard_without_a_reason,
        lambda d: start_policy(d, "WorkerExecutionRole")[1].update(Resource="*"),
        "WorkerExecutionRole: ecr:BatchGetImage on *",
    ),
    (
        security_rules.no_policy_has_a_wildcard_without_a_reason,
        lambda d: endpoint(d, "Sqs")[0].update(Action="sqs:*"),
        "SqsEndpoint: sqs:*",
    ),
    (
        security_rules.no_policy_has_a_wildcard_without_a_reason,
        lambda d: endpoint(d, "Sns")[0].pop("Condition"),
        "SnsEndpoint: not only this account",
    ),
    (
        security_rules.tasks_have_the_roles_of_their_services,
        lambda d: of(d, "services", "WorkerTask").update(TaskRoleArn=of(d, "services", "OrderApiTask")["TaskRoleArn"]),
        "worker: runs with arn:${AWS::Partition}:iam::${AWS::AccountId}:role/orderboard-order-api",
    ),
    (
        security_rules.tasks_have_the_roles_of_their_services,
        lambda d: of(d, "main", "OrderApiRole").update(RoleName="api"),
        "order-api: runs with ",
    ),
    (
        security_rules.tasks_have_the_roles_of_their_services,
        lambda d: of(d, "services", "OrderApiTask").update(ExecutionRoleArn="arn"),
        "order-api: is started with arn",
    ),
    (
        security_rules.execution_roles_start_their_own_service_only,
        lambda d: start_policy(d, "OrderApiExecutionRole").pop(3),
        "order-api: secretsmanager:GetSecretValue on ${ApiToken} is missing",
    ),
    (
        security_rules.execution_roles_start_their_own_service_only,
        lambda d: start_policy(d, "WorkerExecutionRole").append(start_policy(d, "OrderApiExecutionRole")[3]),
        "worker: secretsmanager:GetSecretValue on ${ApiToken} is not needed",
    ),
    (
        security_rules.endpoints_let_through_what_the_roles_allow,
        lambda d: d["network"]["Resources"].pop("EventsEndpoint"),
        "events: no endpoint",
    ),
    (
        security_rules.endpoints_let_through_what_the_roles_allow,
        lambda d: endpoint(d, "DynamoDb")[0]["Action"].remove("dynamodb:PutItem"),
        "DynamoDbEndpoint: dynamodb:PutItem is missing",
    ),
    (
        security_rules.endpoints_let_through_what_the_roles_allow,
        lambda d: endpoint(d, "Sqs")[0]["Action"].append("sqs:PurgeQueue"),
        "SqsEndpoint: sqs:PurgeQueue is not needed",
    ),
    (
        security_rules.endpoints_let_through_what_the_roles_allow,
        lambda d: endpoint(d, "Sqs")[0]["Resource"].pop(),
        "sqs:ReceiveMessage on arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orderboard-express: no",
    ),
    (
        security_rules.endpoints_let_through_what_the_roles_allow,
        lambda d: endpoint(d, "DynamoDb")[0]["Resource"].pop(),
        "dynamodb:Query on ",
    ),
    (
        task_rules.a_task_has_the_variables_that_its_settings_read,
        lambda d: without(d, "Worker", "ORDERBOARD_EXPRESS_QUEUE"),
        "worker: express_queue is missing",
    ),
    (
        task_rules.a_task_has_the_variables_that_its_settings_read,
        lambda d: container(d, "OrderApi")["Environment"].append({"Name": "ORDERBOARD_API_PROT", "Value": "8000"}),
        "order-api: nothing reads api_prot",
    ),
    (
        task_rules.a_task_has_the_variables_that_its_settings_read,
        lambda d: of(d, "main", "OrdersTable").update(TableName="other"),
        "order-api: orders_table orderboard-orders is not the name of OrdersTable",
    ),
    (
        task_rules.an_endpoint_for_spans_reaches_each_task,
        lambda d: container(d, "Worker")["Environment"].pop(),
        "worker: exports no spans",
    ),
    (
        task_rules.an_endpoint_for_spans_reaches_each_task,
        lambda d: d["services"]["Resources"].pop("OrderApiOtlpEgress"),
        "order-api: does not reach the endpoint",
    ),
    (task_rules.the_token_is_a_secret, lambda d: container(d, "OrderApi").pop("Secrets"), "order-api: no token"),
    (
        task_rules.the_token_is_a_secret,
        lambda d: container(d, "OrderApi")["Environment"].append({"Name": "ORDERBOARD_API_TOKEN", "Value": "x"}),
        "order-api: ORDERBOARD_API_TOKEN stands",
    ),
    (
        task_rules.a_task_ends_before_it_is_killed,
        lambda d: container(d, "Worker").update(StopTimeout=110),
        "worker: drains 113 s, killed after 110 s",
    ),
    (
        task_rules.a_task_ends_before_it_is_killed,
        lambda d: d["services"]["Parameters"]["WorkerDrainDeadlineS"].update(MinValue=10),
        "worker: polls for 20 s, drains for 10 s",
    ),
    (
        task_rules.a_task_ends_before_it_is_killed,
        lambda d: of(d, "services", "LoadBalancer")["LoadBalancerAttributes"][0].update(Value="60"),
        "load balancer: idle timeout 60 s",
    ),
    (
        task_rules.a_task_ends_before_it_is_killed,
        lambda d: of(d, "services", "OrderApiTargets")["TargetGroupAttributes"][0].update(Value="5"),
        "order-api: requests take 15 s, deregistered after 5 s",
    ),
    (
        task_rules.health_checks_ask_what_exists,
        lambda d: of(d, "services", "OrderApiTargets").update(HealthCheckPath="/health"),
        "order-api: has no /health",
    ),
    (
        task_rules.health_checks_ask_what_exists,
        lambda d: of(d, "services", "OrderApiTargets").update(Port=80),
        "order-api: listens on 8000, not on [80, 8000]",
    ),
    (
        security_rules.only_the_load_balancer_is_public,
        lambda d: of(d, "network", "PublicSubnet1").update(MapPublicIpOnLaunch=True),
        "PublicSubnet1: gives public addresses",
    ),
    (
        security_rules.only_the_load_balancer_is_public,
        lambda d: of(d, "services", "WorkerService")["NetworkConfiguration"]["AwsvpcConfiguration"].update(
            AssignPublicIp="ENABLED"
        ),
        "WorkerService: in a public subnet",
    ),
    (
        security_rules.only_the_load_balancer_is_public,
        lambda d: of(d, "services", "OrderApiIngress").update(CidrIp="0.0.0.0/0"),
        "OrderApiIngress: lets addresses in",
    ),
    (
        security_rules.data_is_encrypted,
        lambda d: of(d, "images", "WorkerRepository").pop("EncryptionConfiguration"),
        "WorkerRepository: not encrypted",
    ),
    (
        security_rules.data_is_encrypted,
        lambda d: of(d, "services", "Listener").pop("SslPolicy"),
        "Listener: no TLS",
    ),
    (
        task_rules.logs_end,
        lambda d: of(d, "services", "WorkerLogs").pop("RetentionInDays"),
        "WorkerLogs: kept for ever",
    ),
    (
        task_rules.logs_end,
        lambda d: container(d, "OrderApi")["LogConfiguration"]["Options"].update(mode="blocking"),
        "order-api: logs elsewhere, or holds up",
    ),
    (
        stack_rules.deployments_roll_back,
        lambda d: of(d, "services", "WorkerService")["DeploymentConfiguration"].update(MinimumHealthyPercent=50),
        "WorkerService: fewer tasks",
    ),
    (
        stack_rules.deployments_roll_back,
        lambda d: of(d, "services", "OrderApiService").update(DesiredCount=2),
        "OrderApiService: an update undoes",
    ),
    (
        stack_rules.services_scale_in_their_bounds,
        lambda d: d["services"]["Parameters"]["ApiMinTasks"].update(MinValue=1),
        "order-api: fewer than two",
    ),
    (
        stack_rules.services_scale_in_their_bounds,
        lambda d: d["services"]["Resources"].pop("WorkerScaling"),
        "WorkerService: no scaling policy",
    ),
    (
        stack_rules.alarms_reach_the_alerts_topic,
        lambda d: of(d, "services", "WorkerGoneAlarm").update(AlarmActions=[]),
        "WorkerGoneAlarm: AlarmActions lead elsewhere",
    ),
    (
        stack_rules.alarms_reach_the_alerts_topic,
        lambda d: of(d, "services", "ApiNoHostAlarm").update(AlarmName="none"),
        "ApiNoHostAlarm: the topic's policy",
    ),
    (
        stack_rules.names_fit,
        lambda d: of(d, "services", "OrderApiTargets").update(Name={"Fn::Sub": "${Prefix}-order-api-targets"}),
        "OrderApiTargets: Name does not fit",
    ),
    (
        stack_rules.nothing_names_a_place,
        lambda d: of(d, "network", "PrivateSubnet2").update(AvailabilityZone="us-east-1b"),
        "network: us-east-1b",
    ),
    (
        task_rules.a_stack_starts_from_its_images,
        lambda d: of(d, "images", "OrderApiRepository").pop("EmptyOnDelete"),
        "order-api: images stay",
    ),
    (
        task_rules.containers_are_confined,
        lambda d: container(d, "Worker").pop("ReadonlyRootFilesystem"),
        "worker: writes",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_templates_keep_the_rule(rule: Rule) -> None:
    """The rule finds no fault."""
    assert list(rule(Deployment(DOCUMENTS))) == []


@pytest.mark.parametrize(("rule", "spoil", "fault"), SPOILT)
def test_the_rule_finds_the_fault(rule: Rule, spoil: Callable[[Any], Any], fault: str) -> None:
    """A template spoilt on purpose breaks its rule."""
    documents = copy.deepcopy(DOCUMENTS)
    spoil(documents)

    assert [each for each in rule(Deployment(documents)) if each.startswith(fault)]


def test_every_rule_was_seen_to_fail() -> None:
    """No rule passes because it looks at nothing."""
    assert {rule for rule, _, _ in SPOILT} == set(RULES)
