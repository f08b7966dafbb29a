"""Stacks of an engine that is killed after each commit of an action."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from localbus.cloudformation import api
from localbus.cloudformation.change_set import CHANGE_SET
from localbus.cloudformation.stack import CHANGE, EVENT, PLAN, RESOURCE, STACK, STACK_TYPE, Stack
from localbus.cloudformation.stack_resource import time_document
from localbus.protocol.service import Caller
from localbus.storage.documents import decode, encode
from localbus.storage.durable import DurableStorage

from support.durable import DurableEngine, as_killed


class Stacks(DurableEngine):
    """CloudFormation of a durable engine."""

    def do(self, action: str, **params: Any) -> dict[str, Any]:
        """Call an action."""
        service = api.service(self.engine.stacks)
        answer: dict[str, Any] = self.run(lambda: service.call(service.api.operation(action), params, Caller()))
        return answer

    def deploy(self, action: str, **params: Any) -> None:
        """Call an action on the stack `shop`, and wait until the stack has completed it."""
        if action == "DeleteStack":
            self.do(action, StackName="shop")
        else:
            self.do(action, StackName="shop", **params)
        self.settle()

    def kill_after(self, commits: int, action: str, **params: Any) -> bool:
        """Kill the engine after so many commits of an action on the stack `shop`. Return whether there are as many."""
        storage = self.engine.storage
        assert isinstance(storage, DurableStorage)
        commit, copy, count = storage.commit, self.data.parent / f"after-{commits}", 0

        def commit_and_copy() -> None:
            nonlocal count
            if storage.is_pending:
                commit()
                count += 1
                if count == commits:
                    as_killed(self.data, copy)

        storage.commit = commit_and_copy  # type: ignore[method-assign]
        self.do(action, StackName="shop", **params)
        while count < commits and any(one.operation for one in self.stacks()):
            self.run(lambda: asyncio.sleep(0))
        self.run(self.engine.stop)
        self.engine = self._start(copy if copy.exists() else self.data)
        return copy.exists()

    def settle(self) -> None:
        """Wait until no operation is under way, and everything is stored."""

        async def settled() -> None:
            while tasks := [one.task for one in self.stacks() if one.task is not None and not one.task.done()]:
                await asyncio.wait(tasks)
            await self.engine.storage.stored()

        self.run(settled)

    def stacks(self) -> list[Stack]:
        """Every stack, the latest first."""
        return list(self.engine.stacks.stacks.of(Caller()))

    def answers(self) -> dict[str, Any]:
        """The answers of CloudFormation about every stack."""
        found: dict[str, Any] = {"ListStacks": self.do("ListStacks"), "ListExports": self.do("ListExports")}
        for stack in self.stacks():
            for action in ("DescribeStacks", "DescribeStackEvents", "DescribeStackResources", "ListStackResources"):
                found[f"{action} {stack.id}"] = self.do(action, StackName=stack.id)
            for action in ("GetTemplate", "GetTemplateSummary", "ListChangeSets"):
                if stack.plan is not None:
                    found[f"{action} {stack.id}"] = self.do(action, StackName=stack.id)
        for change_set in self.engine.stacks.change_sets.by_id:
            for values in (False, True):
                given = {"ChangeSetName": change_set, "IncludePropertyValues": values}
                found[f"{change_set} {values}"] = self.do("DescribeChangeSet", **given)
        return found

    def stored(self) -> dict[tuple[str, str, str], Any]:
        """Every record of CloudFormation in the file."""
        kinds = (STACK, PLAN, RESOURCE, CHANGE, EVENT, CHANGE_SET)
        return {(kind, *one[:2]): one.document for kind in kinds for one in self.engine.storage.records(kind)}

    def live(self) -> dict[tuple[str, str, str], Any]:
        """Every record as it would be written now."""
        found: dict[tuple[str, str, str], Any] = {}
        for stack in self.stacks():
            found[STACK, "", stack.id] = stack.document()
            if stack.plan is not None:
                found[PLAN, stack.id, "current"] = stack.plan.document()
            found |= {(RESOURCE, stack.id, name): one.document() for name, one in stack.resources.items()}
            for number, event in enumerate(stack.events, 1):
                document = event | {"Timestamp": time_document(event["Timestamp"])}
                found[EVENT, stack.id, str(number)] = document
        for change_set in self.engine.stacks.change_sets.by_id.values():
            found[CHANGE_SET, "", change_set.id] = change_set.document()
        return {name: decode(encode(document)) for name, document in found.items()}

    def inventory(self) -> set[str]:
        """The physical ids of every resource that its service has."""
        found: set[str] = self.run(self._inventory)
        return found

    def _inventory(self) -> set[str]:
        engine, caller = self.engine, Caller()
        rules = [rule for bus in engine.events.buses.of(caller) for rule in bus.rules.values()]
        return {
            *(record.url(caller) for record in engine.sqs.queues),
            *(bus.name for bus in engine.events.buses.of(caller) if bus.name != "default"),
            *(f"{rule.bus.name}|{rule.name}" for rule in rules if not rule.managed_by),
            *(archive.name for archive in engine.events.archives.of(caller)),
            *(connection.name for connection in engine.events.connections.of(caller)),
            *(topic.arn for topic in engine.sns.topics),
            *(one.arn for one in engine.sns.topics.subscriptions() if not one.endpoint.endswith(":dead")),
            *engine.dynamodb.tables(caller),
        }

    def in_stacks(self) -> set[str]:
        """The physical ids of every resource of the stacks that an inventory has."""
        found = [one for stack in self.stacks() for one in stack.resources.values() if one.exists and one.local]
        return {one.physical_id for one in found if one.type != STACK_TYPE and not one.type.endswith("Policy")}


def images(
    folder: Path, prepare: Callable[[Stacks], None], act: Callable[[Stacks], None], **options: Any
) -> Iterator[tuple[Path, bool]]:
    """Yield the data folder as a kill leaves it, after each commit of an action, and whether that is under way."""
    with Stacks(folder / "run", **options) as engine:
        prepare(engine)
        storage = engine.engine.storage
        assert isinstance(storage, DurableStorage)
        commit, found = storage.commit, list[tuple[Path, bool]]()

        def commit_and_copy() -> None:
            if storage.is_pending:
                commit()
                copy = as_killed(engine.data, folder / f"image-{len(found)}" / "0")
                found.append((copy.parent, any(one.operation for one in engine.stacks())))

        storage.commit = commit_and_copy  # type: ignore[method-assign]
        act(engine)
        storage.commit = commit  # type: ignore[method-assign]
    assert len(found) > 5
    for image, is_under_way in found:
        yield image, is_under_way
        shutil.rmtree(image)
