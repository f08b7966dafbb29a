"""The state of CloudFormation: stacks, change sets, and the background tasks that work on stacks.

localbus creates queues, topics, buses and their settings by its services' actions. The upstream creates all other
resources of a template, in a stack with the same name (`upstream_stack`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.cloudformation import transforms
from localbus.cloudformation.change_set import ChangeSets
from localbus.cloudformation.notifications import Notifier
from localbus.cloudformation.plan import Plan, StackContext, make_plan, static_functions
from localbus.cloudformation.registry import Stacks
from localbus.cloudformation.resources.base import NestedStacks, ResourceContext
from localbus.cloudformation.stack import Stack
from localbus.cloudformation.template import parameters as template_parameters
from localbus.cloudformation.template.parser import read
from localbus.cloudformation.template.permissions import check_permitted
from localbus.cloudformation.template.source import Fetch
from localbus.cloudformation.template.template import INCLUDE, parse_document
from localbus.cloudformation.upstream_client import UpstreamCloudFormation
from localbus.cloudformation.upstream_values import UpstreamValues
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Params
from localbus.upstream.client import UpstreamClient

log = logging.getLogger("localbus")


class CloudFormation:
    """All stacks. `free_name` gets the ARN of a deleted queue and makes its name available at once."""

    def __init__(
        self,
        clock: Clock,
        tasks: BackgroundTasks,
        services: Mapping[str, Service],
        upstream: UpstreamClient,
        free_name: Callable[[str], None],
    ) -> None:
        self.clock = clock
        self.stacks = Stacks()
        self.change_sets = ChangeSets()
        self.upstream = UpstreamCloudFormation(upstream.url) if upstream.url else None
        self.values = UpstreamValues(upstream)
        self.nested: NestedStacks | None = None
        self._services = services
        self._free_name = free_name
        self._tasks = tasks
        self._notifier = Notifier(services, tasks.start)

    @property
    def fetch(self) -> Fetch | None:
        """The function that fetches a template from S3; None without an upstream."""
        return self.upstream.fetch if self.upstream else None

    def new_stack(self, name: str, caller: Caller, token: str | None) -> Stack:
        """A stack without resources, not yet in `stacks`."""
        stack = Stack(name, caller, self.clock, self.upstream, token)
        stack.on_event = self._notifier.publish
        return stack

    async def plan(self, stack: Stack, text: str, given: Mapping[str, str], request: Params) -> Plan:
        """The plan of a template's text with parameters for a stack, if the request permits it. Raises AwsError."""
        document = read(text)
        template = parse_document(text, document)
        context = StackContext(
            stack.name,
            stack.id,
            stack.caller.account,
            stack.caller.region,
            tuple(stack.notification_arns),
            partial(self.stacks.import_value, caller=stack.caller),
            partial(self.values.resolve, caller=stack.caller),
            self.upstream is not None,
        )
        template_parameters.check(template.parameters)
        values = template_parameters.values(template.parameters, given)
        stored = await self.values.parameter_values(template.parameters, values, stack.caller)
        if "Transform" in text:  # declared, or inside a value
            functions = static_functions(template, values, context, stored)
            processed = await transforms.process(document, functions, self.fetch, stack.caller)
            if processed != document:
                template = parse_document(text, processed, template.transforms or (INCLUDE,))
        check_permitted(template, request)
        plan = make_plan(template, given, context, stored)
        await self.values.check(plan.local_properties(), stack.caller)
        return plan

    def resource_context(self, stack: Stack) -> ResourceContext:
        """The context of a stack's resources, without a logical id."""
        services, nested = self._services, self.nested
        return ResourceContext(services, stack.caller, stack.name, stack.id, self._free_name, nested=nested)

    def run(self, stack: Stack, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` on a stack in the background, after the stack's previous task."""
        previous = stack.task

        async def run_after_previous() -> None:
            if previous is not None:
                await asyncio.wait([previous])
            try:
                await work
            except Exception:
                log.exception("stack.failed", extra={"stack": stack.id})
                stack.set_status(f"{stack.status.partition('_')[0]}_FAILED", "Internal Failure")

        stack.task = self._tasks.start(run_after_previous())
        stack.task.add_done_callback(lambda _: work.close())  # it never began if the engine stopped at once
