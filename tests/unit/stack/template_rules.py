"""Rules that AWS enforces and local engines do not: each is a function of a template that lists its faults."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from unit.stack.template_model import Template, as_list, one, referred

Rule = Callable[[Template], Iterator[str]]

FOURTEEN_DAYS_S: Final = 14 * 24 * 3600


def every_edge_has_its_policy(template: Template) -> Iterator[str]:
    """SNS and EventBridge send to a queue only where the queue's policy lets that very topic or rule."""
    for edge in template.edges():
        if not any(
            edge.queue in referred(properties["Queues"])
            and any(_lets(statement, edge.principal, edge.source, edge.queue) for statement in _statements(properties))
            for _, properties in template.of_type("AWS::SQS::QueuePolicy")
        ):
            yield f"{edge.source} -> {edge.queue}: no queue policy lets {edge.principal} send for it"


def every_queue_policy_names_its_source(template: Template) -> Iterator[str]:
    """A service principal without a source could be anybody's topic or rule."""
    for name, properties in template.of_type("AWS::SQS::QueuePolicy"):
        for statement in _statements(properties):
            if statement["Effect"] == "Allow" and not _sources(statement):
                yield f"{name}: a statement without a condition on aws:SourceArn"


def every_queue_has_a_dead_letter_queue(template: Template) -> Iterator[str]:
    """A poisonous message must have somewhere to rest."""
    dead_letter_queues = template.dead_letter_queues()
    for name, properties in template.of_type("AWS::SQS::Queue"):
        if name not in dead_letter_queues and "RedrivePolicy" not in properties:
            yield f"{name}: no RedrivePolicy"


def every_dead_letter_queue_keeps_14_days(template: Template) -> Iterator[str]:
    """People need time to look; a moved message keeps its old timestamp, so less would lose it sooner still."""
    for name in template.dead_letter_queues():
        if template.properties(name).get("MessageRetentionPeriod") != FOURTEEN_DAYS_S:
            yield f"{name}: keeps messages less than 14 days"


def every_queue_is_encrypted(template: Template) -> Iterator[str]:
    """With SQS's own keys, which cost nothing."""
    for name, properties in template.of_type("AWS::SQS::Queue"):
        if properties.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: not encrypted"


def every_delivery_has_a_dead_letter_queue(template: Template) -> Iterator[str]:
    """Without one, a topic or a rule drops what it cannot deliver."""
    for name, properties in template.of_type("AWS::SNS::Subscription"):
        if not one(properties.get("RedrivePolicy", {})):
            yield f"{name}: no RedrivePolicy"
    for rule, target in template.targets():
        if not one(target.get("DeadLetterConfig", {})) or "RetryPolicy" not in target:
            yield f"{rule}: a target without RetryPolicy and DeadLetterConfig"


def every_function_may_be_called(template: Template) -> Iterator[str]:
    """A push needs a permission of the function; a mapping needs one of the function's role."""
    pushed = [(name, one(target["Arn"])) for name, target in template.targets()]
    pushed += [
        (one(properties["TopicArn"]), one(properties["Endpoint"]))
        for _, properties in template.of_type("AWS::SNS::Subscription")
        if properties["Protocol"] == "lambda"
    ]
    permitted = {
        (one(properties.get("SourceArn")), one(properties["FunctionName"]))
        for _, properties in template.of_type("AWS::Lambda::Permission")
    }
    for source, target in pushed:
        if template.resources[target]["Type"] == "AWS::Lambda::Function" and (source, target) not in permitted:
            yield f"{source} -> {target}: no AWS::Lambda::Permission"
    for name, properties in template.of_type("AWS::Lambda::EventSourceMapping"):
        queue, function = one(properties["EventSourceArn"]), one(properties["FunctionName"])
        allowed = template.allowed(one(template.properties(function)["Role"]))
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
            if (action, queue) not in allowed:
                yield f"{name}: the function's role lacks {action} on {queue}"


def every_mapping_reports_partial_failures(template: Template) -> Iterator[str]:
    """Without it one bad message brings its whole batch back."""
    for name, properties in template.of_type("AWS::Lambda::EventSourceMapping"):
        if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: does not report partial failures"


def every_mapped_queue_waits_six_times_as_long(template: Template) -> Iterator[str]:
    """Six timeouts and the batching window.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    for name, properties in template.of_type("AWS::Lambda::EventSourceMapping"):
        timeout_s = template.number(template.properties(one(properties["FunctionName"])).get("Timeout", 3))
        window_s = template.number(properties.get("MaximumBatchingWindowInSeconds", 0))
        visibility_s = template.number(
            template.properties(one(properties["EventSourceArn"])).get("VisibilityTimeout", 30)
        )
        if visibility_s < 6 * timeout_s + window_s:
            yield f"{name}: visibility timeout {visibility_s} s is less than six times {timeout_s} s"


def no_policy_has_a_wildcard(template: Template) -> Iterator[str]:
    """Least privilege: named actions on named resources."""
    for name, statement in template.statements():
        if statement["Effect"] == "Deny":
            continue
        for key in ("Action", "Resource", "NotAction", "NotResource"):
            if "*" in str(statement.get(key, "")) or (key.startswith("Not") and key in statement):
                yield f"{name}: {key} {statement[key]}"
        if statement.get("Principal") == "*" or "*" in as_list(dict(statement.get("Principal") or {}).get("AWS", "")):
            yield f"{name}: anybody is its principal"


def every_dead_letter_queue_raises_an_alarm(template: Template) -> Iterator[str]:
    """Nobody looks into a queue that is always empty until it is not."""
    watched = {
        queue
        for _, properties in template.of_type("AWS::CloudWatch::Alarm")
        if properties.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        for queue in referred(properties["Dimensions"])
    }
    yield from (f"{name}: no alarm" for name in template.dead_letter_queues() - watched)
    for name, properties in template.of_type("AWS::CloudWatch::Alarm"):
        if "AlertsTopic" not in referred(properties.get("AlarmActions", [])):
            yield f"{name}: no action"


def every_name_has_the_prefix(template: Template) -> Iterator[str]:
    """Two stacks in one account must not meet."""
    for name, resource in template.resources.items():
        for key, value in resource.get("Properties", {}).items():
            names_it = key == "Name" or (key.endswith("Name") and key.startswith(resource["Type"].split("::")[2][:4]))
            if names_it and "Prefix" not in referred(value):
                yield f"{name}: {key} lacks the prefix"


def _statements(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements: list[Mapping[str, Any]] = properties["PolicyDocument"]["Statement"]
    return statements


def _sources(statement: Mapping[str, Any]) -> set[str]:
    return referred(statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn", []))


def _lets(statement: Mapping[str, Any], principal: str, source: str, queue: str) -> bool:
    return (
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": principal}
        and "sqs:SendMessage" in as_list(statement["Action"])
        and queue in referred(statement["Resource"])
        and source in _sources(statement)
    )


RULES: Final[tuple[Rule, ...]] = (
    every_edge_has_its_policy,
    every_queue_policy_names_its_source,
    every_queue_has_a_dead_letter_queue,
    every_dead_letter_queue_keeps_14_days,
    every_queue_is_encrypted,
    every_delivery_has_a_dead_letter_queue,
    every_function_may_be_called,
    every_mapping_reports_partial_failures,
    every_mapped_queue_waits_six_times_as_long,
    no_policy_has_a_wildcard,
    every_dead_letter_queue_raises_an_alarm,
    every_name_has_the_prefix,
)
