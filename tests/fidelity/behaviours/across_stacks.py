"""CloudFormation of queues, topics and rules."""

from __future__ import annotations

import json
from typing import Any

from fidelity.aws import Aws, Queue
from fidelity.behaviour import Group
from fidelity.expect import eventually, holds, refused, same
from fidelity.sources import formation_api, formation_guide, formation_type

GROUP = Group("Across services", "CloudFormation")
behaviour = GROUP.behaviour
_QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
_TOPIC: dict[str, Any] = {"Type": "AWS::SNS::Topic"}
_INVALID = "ValidationError"


class Stack:
    """A stack of resources, created and awaited."""

    def __init__(
        self, aws: Aws, resources: dict[str, Any], *, name: str = "", status: str = "CREATE_COMPLETE", **template: Any
    ) -> None:
        self.aws, self.client, self.name = aws, aws.client("cloudformation"), name or aws.name()
        self.id = self.client.create_stack(StackName=self.name, TemplateBody=_body(resources, template))["StackId"]
        self.until(status)

    def update(self, resources: dict[str, Any], **template: Any) -> None:
        """Update it and wait."""
        self.client.update_stack(StackName=self.name, TemplateBody=_body(resources, template))
        self.until("UPDATE_COMPLETE")

    def until(self, status: str) -> None:
        """Wait until nothing is in progress, and expect a status."""

        def settled() -> str:
            found = str(self.described()["StackStatus"])
            return "" if found.endswith("IN_PROGRESS") else found

        same("becomes", eventually(settled, "does not end", 30), status)

    def described(self) -> dict[str, Any]:
        """Its description."""
        return dict(self.client.describe_stacks(StackName=self.id)["Stacks"][0])

    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.described().get("Outputs", [])}

    def physical(self, logical: str) -> str:
        """The physical id of a resource."""
        shown = self.client.describe_stack_resources(StackName=self.name)["StackResources"]
        found = [str(one["PhysicalResourceId"]) for one in shown if one["LogicalResourceId"] == logical]
        holds(found, "has lost the resource")
        return found[0]

    def queue(self, logical: str) -> Queue:
        """One of its queues."""
        url = self.physical(logical)
        return Queue(self.aws.sqs, url.rpartition("/")[2], url)


def _body(resources: dict[str, Any], template: dict[str, Any]) -> str:
    return json.dumps({"Resources": resources} | template)


def _queue(name: str, **properties: Any) -> dict[str, Any]:
    return _QUEUE | {"Properties": {"QueueName": name} | properties}


def _outputs(**values: Any) -> dict[str, Any]:
    return {key: {"Value": value} for key, value in values.items()}


def _bus(name: str) -> dict[str, Any]:
    return {"Type": "AWS::Events::EventBus", "Properties": {"Name": name}}


@behaviour(formation_guide("resources-section-structure"))
def names(aws: Aws) -> None:
    """The generated name of a queue has the stack, the logical id and a random part."""
    stack = Stack(aws, {"Work": _QUEUE})

    name = stack.queue("Work").name

    holds(name.startswith(f"{stack.name}-Work-"), f"calls it {name.replace(stack.name, 'STACK')}")


@behaviour(formation_type("AWS::SQS::Queue"))
def queue_s_values(aws: Aws) -> None:
    """Ref of a queue is its URL; Arn and QueueName are its attributes."""
    outputs = _outputs(Url={"Ref": "Q"}, Arn={"Fn::GetAtt": ["Q", "Arn"]}, Name={"Fn::GetAtt": ["Q", "QueueName"]})
    stack = Stack(aws, {"Q": _QUEUE}, Outputs=outputs)

    queue = stack.queue("Q")

    same("gives", stack.outputs(), {"Url": queue.url, "Arn": queue.arn, "Name": queue.name})


@behaviour(formation_type("AWS::SNS::Topic"))
def topic_s_values(aws: Aws) -> None:
    """Ref of a topic is its ARN; TopicName is an attribute."""
    outputs = _outputs(Arn={"Ref": "T"}, Name={"Fn::GetAtt": ["T", "TopicName"]})
    found = Stack(aws, {"T": _TOPIC}, Outputs=outputs).outputs()

    holds(found["Arn"].startswith("arn:aws:sns:") and found["Arn"].endswith(f":{found['Name']}"), f"gives {found}")


@behaviour(formation_type("AWS::Events::Rule"))
def rule_s_values(aws: Aws) -> None:
    """Ref of a rule is its name, with its bus in front unless that is the default bus; Arn is an attribute."""
    pattern = {"EventPattern": {"source": ["s"]}}
    name = aws.name()
    rules = {
        "Default": {"Type": "AWS::Events::Rule", "Properties": pattern},
        "Other": {"Type": "AWS::Events::Rule", "Properties": pattern | {"EventBusName": {"Ref": "Bus"}}},
    }
    found = Stack(
        aws, {"Bus": _bus(name), **rules}, Outputs=_outputs(Default={"Ref": "Default"}, Other={"Ref": "Other"})
    )
    refs = found.outputs()

    holds("|" not in refs["Default"], "has a bus in the name of a rule of the default bus")
    holds(refs["Other"].startswith(f"{name}|"), "has no bus in the name")


@behaviour(formation_guide("gettingstarted.templatebasics"))
def together(aws: Aws) -> None:
    """A topic, its queue, the policy and the subscription work together."""
    policy = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Q", "Arn"]},
    }
    given = {"Queues": [{"Ref": "Q"}], "PolicyDocument": {"Statement": [policy]}}
    subscription = {"TopicArn": {"Ref": "T"}, "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Q", "Arn"]}}
    resources = {
        "T": _TOPIC,
        "Q": _QUEUE,
        "P": {"Type": "AWS::SQS::QueuePolicy", "Properties": given},
        "S": {"Type": "AWS::SNS::Subscription", "Properties": subscription | {"RawMessageDelivery": True}},
    }
    stack = Stack(aws, resources)

    aws.sns.publish(TopicArn=stack.physical("T"), Message="m")

    same("delivers", stack.queue("Q").bodies(1), ["m"])


@behaviour(formation_guide("conditions-section-structure"))
def conditions(aws: Aws) -> None:
    """A resource whose condition does not hold is not created."""
    resources = {"Q": _QUEUE, "No": _QUEUE | {"Condition": "Never"}}
    stack = Stack(aws, resources, Conditions={"Never": {"Fn::Equals": ["a", "b"]}})

    shown = stack.client.describe_stack_resources(StackName=stack.name)["StackResources"]

    same("makes", [one["LogicalResourceId"] for one in shown], ["Q"])


@behaviour(formation_api("DescribeStackEvents"))
def events(aws: Aws) -> None:
    """The first and the last event are those of the stack itself; the latest comes first."""
    stack = Stack(aws, {"Q": _QUEUE})

    found = stack.client.describe_stack_events(StackName=stack.name)["StackEvents"]

    shown = [(one["LogicalResourceId"] == stack.name, one["ResourceStatus"]) for one in (found[-1], found[0])]
    same("has", shown, [(True, "CREATE_IN_PROGRESS"), (True, "CREATE_COMPLETE")])


@behaviour(formation_guide("using-cfn-updating-stacks-update-behaviors"))
def update_in_place(aws: Aws) -> None:
    """A changed attribute updates the queue and keeps its messages."""
    name = aws.name()
    stack = Stack(aws, {"Q": _queue(name)})
    queue = stack.queue("Q")
    queue.send("still there")

    stack.update({"Q": _queue(name, VisibilityTimeout=77)})

    same("has", queue.attributes("VisibilityTimeout"), {"VisibilityTimeout": "77"})
    same("keeps", queue.bodies(1, within_s=2), ["still there"])


@behaviour(formation_type("AWS::SQS::Queue", recorded=True))
def no_longer_said(aws: Aws) -> None:
    """A size that the template no longer sets becomes CloudFormation's default, 262,144."""
    name = aws.name()
    stack = Stack(aws, {"Q": _queue(name, MaximumMessageSize=1234, VisibilityTimeout=77)})
    queue = stack.queue("Q")

    stack.update({"Q": _queue(name)})

    wanted = {"MaximumMessageSize": "262144", "VisibilityTimeout": "30"}
    same("has", queue.attributes(*wanted), wanted)


@behaviour(formation_guide("using-cfn-updating-stacks-update-behaviors"))
def replacement(aws: Aws) -> None:
    """A changed name creates a new topic and deletes the old one."""
    old, new = aws.name(), aws.name()
    stack = Stack(aws, {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": old}}})
    arn = stack.physical("T")

    stack.update({"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": new}}})

    same("makes", stack.physical("T").rpartition(":")[2], new)
    refused("NotFound", aws.sns.get_topic_attributes, TopicArn=arn)


@behaviour(formation_api("UpdateStack"))
def no_update(aws: Aws) -> None:
    """An update that changes nothing is rejected."""
    stack = Stack(aws, {"Q": _QUEUE})
    refused(_INVALID, stack.update, says="No updates are to be performed", resources={"Q": _QUEUE})


@behaviour(formation_guide("stack-failure-options"))
def rollback(aws: Aws) -> None:
    """A resource that cannot be created rolls back the others, and the stack is ROLLBACK_COMPLETE."""
    name = aws.name()
    subscription = {"TopicArn": f"{aws.topic()}-not", "Protocol": "sqs", "Endpoint": aws.queue().arn}
    bad = {"Type": "AWS::SNS::Subscription", "DependsOn": "Good", "Properties": subscription}

    Stack(aws, {"Good": _queue(name), "Bad": bad}, status="ROLLBACK_COMPLETE")

    refused("AWS.SimpleQueueService.NonExistentQueue", aws.sqs.get_queue_url, QueueName=name)


@behaviour(formation_api("CreateStack"))
def taken_name(aws: Aws) -> None:
    """A stack whose name is in use is rejected (AlreadyExistsException)."""
    stack = Stack(aws, {"Q": _QUEUE})
    refused("AlreadyExistsException", Stack, aws=aws, resources={"Q": _QUEUE}, name=stack.name)


@behaviour(formation_api("CreateStack"))
def unresolved(aws: Aws) -> None:
    """A template with an unresolved reference is rejected before anything is created."""
    resources = {"Q": _queue("x", VisibilityTimeout={"Ref": "Nowhere"})}
    refused(_INVALID, Stack, aws=aws, resources=resources)


@behaviour(formation_api("DeleteStack"))
def deletion(aws: Aws) -> None:
    """A deleted stack's queues are deleted, and it is found by its id only."""
    stack = Stack(aws, {"Q": _QUEUE})
    queue = stack.queue("Q")

    stack.client.delete_stack(StackName=stack.name)
    stack.until("DELETE_COMPLETE")

    refused("AWS.SimpleQueueService.NonExistentQueue", aws.sqs.get_queue_url, QueueName=queue.name)
    refused(_INVALID, stack.client.describe_stacks, says="does not exist", StackName=stack.name)


@behaviour(formation_guide("aws-attribute-deletionpolicy"))
def retained(aws: Aws) -> None:
    """A resource with the DeletionPolicy Retain outlives its stack."""
    stack = Stack(aws, {"Q": _QUEUE | {"DeletionPolicy": "Retain"}})
    queue = stack.queue("Q")

    stack.client.delete_stack(StackName=stack.name)
    stack.until("DELETE_COMPLETE")

    holds(aws.sqs.get_queue_url(QueueName=queue.name)["QueueUrl"], "has lost it")


@behaviour(formation_guide("using-cfn-protect-stacks"))
def protected(aws: Aws) -> None:
    """A stack with termination protection is not deleted."""
    stack = Stack(aws, {"Q": _QUEUE})
    stack.client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=True)

    refused(_INVALID, stack.client.delete_stack, StackName=stack.name)


@behaviour(formation_guide("resources-section-structure"))
def no_takeover(aws: Aws) -> None:
    """A stack does not take over an existing queue; its creation fails."""
    queue = aws.queue()

    Stack(aws, {"Q": _queue(queue.name)}, status="ROLLBACK_COMPLETE")

    holds(aws.sqs.get_queue_url(QueueName=queue.name)["QueueUrl"], "has lost it")


@behaviour(formation_type("AWS::Events::Archive"))
def archive(aws: Aws) -> None:
    """An archive is created with its bus."""
    name = aws.name()
    properties = {"ArchiveName": name, "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}}
    Stack(aws, {"Bus": _bus(aws.name()), "Kept": {"Type": "AWS::Events::Archive", "Properties": properties}})

    same("has", aws.events.describe_archive(ArchiveName=name)["State"], "ENABLED")


@behaviour(formation_guide("template-anatomy", recorded=True))
def nulls(aws: Aws) -> None:
    """A template with a null is rejected."""
    refused(
        _INVALID, Stack, says="'null' values are not allowed", aws=aws, resources={"Q": _QUEUE | {"Metadata": None}}
    )


@behaviour(formation_api("CreateStack"))
def stack_name(aws: Aws) -> None:
    """A stack whose name starts with a digit is rejected."""
    refused(_INVALID, Stack, says="at 'stackName'", aws=aws, resources={"Q": _QUEUE}, name=f"1{aws.name()}")


@behaviour(formation_api("CreateStack"))
def capabilities(aws: Aws) -> None:
    """A template with a role is rejected without its capability (InsufficientCapabilitiesException)."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    refused("InsufficientCapabilitiesException", Stack, aws=aws, resources={"R": role})


@behaviour(formation_guide("aws-attribute-dependson"))
def order_alone(aws: Aws) -> None:
    """A change of DependsOn alone changes nothing."""
    stack = Stack(aws, {"A": _QUEUE, "B": _QUEUE})
    changed = {"A": _QUEUE | {"DependsOn": "B"}, "B": _QUEUE}
    refused(_INVALID, stack.update, says="No updates are to be performed", resources=changed)


@behaviour(formation_api("ExecuteChangeSet", recorded=True))
def executed_change_set(aws: Aws) -> None:
    """An executed change set is gone from the stack's list."""
    stack = Stack(aws, {"Q": _QUEUE})
    body = _body({"Q": _QUEUE, "More": _QUEUE}, {})
    made = stack.client.create_change_set(StackName=stack.name, ChangeSetName="c", TemplateBody=body)
    stack.client.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"])
    stack.client.execute_change_set(ChangeSetName=made["Id"])
    stack.until("UPDATE_COMPLETE")

    same("lists", stack.client.list_change_sets(StackName=stack.name)["Summaries"], [])


@behaviour(formation_api("DescribeStackEvents", recorded=True))
def event_times(aws: Aws) -> None:
    """Each event of a stack is later than the one before."""
    stack = Stack(aws, {"Q": _QUEUE})

    times = [one["Timestamp"] for one in stack.client.describe_stack_events(StackName=stack.name)["StackEvents"]]

    holds(times == sorted(set(times), reverse=True), f"has {times}")


@behaviour(formation_guide("intrinsic-function-reference-getatt", recorded=True))
def attribute_of_property(aws: Aws) -> None:
    """Fn::GetAtt gives a property that is not among the documented return values."""
    resources = {"Q": _queue(aws.name(), DelaySeconds=7)}
    stack = Stack(aws, resources, Outputs=_outputs(Delay={"Fn::GetAtt": ["Q", "DelaySeconds"]}))

    same("gives", stack.outputs(), {"Delay": "7"})


@behaviour(formation_api("SetStackPolicy"), differs="Stack policies are refused with NotImplemented")
def stack_policy(aws: Aws) -> None:
    """A stack keeps its policy."""
    stack = Stack(aws, {"Q": _QUEUE})
    policy = {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    stack.client.set_stack_policy(StackName=stack.name, StackPolicyBody=json.dumps(policy))

    found = stack.client.get_stack_policy(StackName=stack.name)["StackPolicyBody"]
    same("has", json.loads(found), policy)


@behaviour(formation_guide("intrinsic-function-reference-importvalue"))
def missing_export(aws: Aws) -> None:
    """A stack that imports an export that does not exist is created and rolls back, and its events say why."""
    queue = _QUEUE | {"Properties": {"QueueName": {"Fn::ImportValue": "no-such-export"}}}
    stack = Stack(aws, {"Q": queue}, status="ROLLBACK_COMPLETE")

    events = stack.client.describe_stack_events(StackName=stack.id)["StackEvents"]
    reasons = [one.get("ResourceStatusReason", "") for one in events]
    holds(any("No export named no-such-export found" in one for one in reasons), f"has {reasons}")
