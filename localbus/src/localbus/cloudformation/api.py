"""CloudFormation as a service: its actions and its form of validation errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from localbus.cloudformation import change_set_actions, describe_actions, stack_actions, template_actions
from localbus.cloudformation.nested_stacks import StacksInStacks
from localbus.cloudformation.state import CloudFormation
from localbus.errors import AwsError
from localbus.protocol.constraints import Violation, describe
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params

ACTIONS: dict[str, Callable[[CloudFormation, Params, Caller], Params | Awaitable[Params]]] = {
    "CancelUpdateStack": stack_actions.cancel_update_stack,
    "CreateChangeSet": change_set_actions.create_change_set,
    "CreateStack": stack_actions.create_stack,
    "DeleteChangeSet": change_set_actions.delete_change_set,
    "DeleteStack": stack_actions.delete_stack,
    "DescribeChangeSet": change_set_actions.describe_change_set,
    "DescribeStackEvents": describe_actions.describe_stack_events,
    "DescribeStackResource": describe_actions.describe_stack_resource,
    "DescribeStackResources": describe_actions.describe_stack_resources,
    "DescribeStacks": describe_actions.describe_stacks,
    "ExecuteChangeSet": change_set_actions.execute_change_set,
    "GetTemplate": template_actions.get_template,
    "GetTemplateSummary": template_actions.get_template_summary,
    "ListChangeSets": change_set_actions.list_change_sets,
    "ListExports": describe_actions.list_exports,
    "ListImports": describe_actions.list_imports,
    "ListStackResources": describe_actions.list_stack_resources,
    "ListStacks": describe_actions.list_stacks,
    "UpdateStack": stack_actions.update_stack,
    "UpdateTerminationProtection": stack_actions.update_termination_protection,
    "ValidateTemplate": template_actions.validate_template,
}


def service(state: CloudFormation) -> Service:
    """CloudFormation for the router."""
    state.nested = StacksInStacks(state)
    actions = {name: partial(action, state) for name, action in ACTIONS.items()}
    return Service(
        Api("cloudformation"),
        actions,
        None,
        validation_error=_validation_error,
        invalid_token=("ValidationError", "The next token is not valid."),
    )


def _validation_error(violations: list[Violation]) -> AwsError:
    return AwsError("ValidationError", describe(violations))
