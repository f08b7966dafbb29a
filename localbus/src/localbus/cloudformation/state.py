"""The state of CloudFormation: stacks, change sets, and the background tasks that work on stacks.

localbus creates queues, topics, buses and their settings by its services' actions. The upstream creates all other
resources of a template, in a stack with the same name (`upstream_stack`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.cloudformation import transforms
from localbus.cloudformation.change_set import CHANGE_SET, ChangeSets
from localbus.cloudformation.notifications import Notifier
from localbus.cloudformation.plan import Plan, StackContext, make_plan, static_functions, stored_plan
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
from localbus.storage.documents import Document
from localbus.storage.storage import Storage
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
        *,
        storage: Storage,
    ) -> None:
        self.clock = clock
        self.stacks = Stacks(storage)
        self.change_sets = ChangeSets(storage)
        self._storage = storage
        self.upstream = UpstreamCloudFormation(upstream.url) if upstream.url else None
        self.values = UpstreamValues(upstream)
        self.nested: NestedStacks | None = None
        self._services = services
        self._free_name = free_name
        self._tasks = tasks
        self._notifier = Notifier(services)

    @property
    def fetch(self) -> Fetch | None:
        """The function that fetches a template from S3; None without an upstream."""
        return self.upstream.fetch if self.upstream else None

    def new_stack(self, name: str, caller: Caller, token: str | None, stack_id: str | None = None) -> Stack:
        """A stack without resources, not yet in `stacks`. It gets an id if it has none."""
        stack = Stack(name, caller, self.clock, self.upstream, token, stack_id=stack_id)
        stack.on_event = self._notifier.publish
        return stack

    def restore(self) -> None:
        """Read all stacks and change sets from the storage, when the engine starts. `lifecycle.resume` is next."""
        self.stacks.restore(self._stored_stack, self._stored_plan)
        for _, _, document in self._storage.records(CHANGE_SET):
            stack = self.stacks.by_id(document["stack"])
            self.change_sets.restore(document, stack, cache(partial(self._stored_plan, stack, document["plan"])))

    def _stored_stack(self, stack_id: str, document: Document) -> Stack:
        _, _, _, region, account, name = stack_id.split(":")
        caller = Caller(account, region, document["base_url"], signed=document["signed"])
        return self.new_stack(name.split("/")[1], caller, None, stack_id)

    def _stored_plan(self, stack: Stack, document: Document) -> Plan:
        return stored_plan(document, replace(self._context(stack), with_upstream=True))

    def _context(self, stack: Stack) -> StackContext:
        return StackContext(
            stack.name,
            stack.id,
            stack.caller.account,
            stack.caller.region,
            tuple(stack.notification_arns),
            partial(self.stacks.import_value, caller=stack.caller),
            partial(self.values.resolve, caller=stack.caller),
            self.upstream is not None,
        )

    async def plan(self, stack: Stack, text: str, given: Mapping[str, str], request: Params) -> Plan:
        """The plan of a template's text with parameters for a stack, if the request permits it. Raises AwsError."""
        document = read(text)
        template = parse_document(text, document)
        context = self._context(stack)
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
        """Run `work`, the stack's operation, in the background, after the stack's previous task."""
        previous, operation = stack.task, stack.operation

        async def run_after_previous() -> None:
            if previous is not None:
                await asyncio.wait([previous])
            try:
                await work
            except Exception:
                log.exception("stack.failed", extra={"stack": stack.id})
                stack.set_status(f"{stack.status.partition('_')[0]}_FAILED", "Internal Failure")
            stack.end(operation)

        stack.task = self._tasks.start(run_after_previous())
        stack.task.add_done_callback(lambda _: work.close())  # it never began if the engine stopped at once
