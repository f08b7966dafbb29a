"""CloudFormation as a service: its table of actions, and the tasks that go on after the caller has its answer.

Queues, topics, buses and what belongs to them are made by this engine's own actions; every other resource of a
template is made by the upstream, in a stack of its own (`shadow_stack`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.cloudformation import change_set_actions, describe_actions, stack_actions, template_actions
from localbus.cloudformation.change_sets import ChangeSets
from localbus.cloudformation.plan import Plan, Surroundings, make_plan
from localbus.cloudformation.registry import Stacks
from localbus.cloudformation.resources.base import Site
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.template.template import Template
from localbus.cloudformation.upstream_client import UpstreamCloudFormation
from localbus.cloudformation.upstream_stack import ShadowStack
from localbus.errors import AwsError
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params, Violation, describe

log = logging.getLogger("localbus")

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


class CloudFormation:
    """All stacks. `free_name` is told the ARN of what a stack has deleted for good."""

    def __init__(
        self,
        clock: Clock,
        tasks: BackgroundTasks,
        services: Mapping[str, Service],
        upstream_url: str | None,
        free_name: Callable[[str], None],
    ) -> None:
        self.clock = clock
        self.stacks = Stacks()
        self.change_sets = ChangeSets()
        self.upstream = UpstreamCloudFormation(upstream_url) if upstream_url else None
        self._services = services
        self._free_name = free_name
        self._tasks = tasks

    def service(self) -> Service:
        """CloudFormation for the router."""
        actions = {name: partial(action, self) for name, action in ACTIONS.items()}
        return Service(
            Api("cloudformation"),
            actions,
            None,
            refuse=_refuse,
            invalid_token=("ValidationError", "The next token is not valid."),
        )

    def new_stack(self, name: str, caller: Caller, token: str | None) -> Stack:
        """A stack of which nothing is there yet."""
        shadow = ShadowStack(self.upstream, name, caller) if self.upstream else None
        return Stack(name, caller, self.clock, shadow, token)

    def plan(self, stack: Stack, template: Template, parameters: Mapping[str, str]) -> Plan:
        """What a template with parameters comes to in a stack. Raises AwsError."""
        surroundings = Surroundings(
            stack.name,
            stack.id,
            stack.caller.account,
            stack.caller.region,
            tuple(stack.notification_arns),
            partial(self.stacks.import_value, caller=stack.caller),
            self.upstream is not None,
        )
        return make_plan(template, parameters, surroundings)

    def site(self, stack: Stack) -> Site:
        """Where a stack's resources are made."""
        return Site(self._services, stack.caller, stack.name, stack.id, "", self._free_name)

    def start(self, stack: Stack, work: Coroutine[Any, Any, None]) -> None:
        """Do some work on a stack, once what is being done with it has ended."""
        before = stack.task

        async def do() -> None:
            if before is not None:
                await asyncio.wait([before])
            try:
                await work
            except Exception:
                log.exception("stack.failed", extra={"stack": stack.id})
                stack.become(f"{stack.status.partition('_')[0]}_FAILED", "Internal Failure")

        stack.task = self._tasks.start(do())


def _refuse(violations: list[Violation]) -> AwsError:
    return AwsError("ValidationError", describe(violations))
