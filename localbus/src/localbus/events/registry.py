"""A registry of named resources: the common part of buses, connections, API destinations, archives and replays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, Generic, Protocol, TypeVar

from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.events.errors import limit_exceeded, missing
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.storage.documents import Document
from localbus.storage.storage import Storage


class Resource(Protocol):
    """A resource that a registry can hold."""

    name: str

    @property
    def arn(self) -> str:
        """The ARN of the resource."""

    def document(self) -> Document:
        """Return the resource for the storage."""


Item = TypeVar("Item", bound=Resource)


class Registry(Generic[Item]):
    """Resources of one kind by account, region and name. Subclasses set AWS's words for a name in use or not found.

    Each is a record of `kind` by its ARN in the storage: a change of a resource ends with `save`. `on_change` is called
    with the ARN of each new or deleted resource.

    Source of the quotas, for an account in a region: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    """

    kind: ClassVar[str]
    quota: ClassVar[int | None] = None
    in_use: ClassVar[str]
    not_found: ClassVar[str]

    def __init__(self, clock: Clock, storage: Storage) -> None:
        self._clock = clock
        self._storage = storage
        self._items: dict[tuple[str, str, str], Item] = {}
        self.on_change: list[Callable[[str], None]] = []

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def require_new(self, name: str, caller: Caller) -> None:
        """Raise ResourceAlreadyExistsException when the name is in use, and LimitExceededException at the quota."""
        if (caller.account, caller.region, name) in self._items:
            raise AwsError("ResourceAlreadyExistsException", self.in_use.format(name=name))
        if self.quota is not None and self.counted(caller) >= self.quota:
            raise limit_exceeded()

    def counted(self, caller: Caller) -> int:
        """Return the number of the caller's resources that count towards the quota."""
        return len(self.of(caller))

    def add(self, item: Item, caller: Caller) -> Item:
        """Add a resource and return it."""
        self._items[caller.account, caller.region, item.name] = item
        self.save(item)
        self._changed(item.arn)
        return item

    def has(self, item: Item) -> bool:
        """Return whether a resource exists, and has not been deleted or replaced by another of its name."""
        return self._items.get(_key_of(item)) is item

    def save(self, item: Item) -> None:
        """Store what has changed of a resource, if it exists."""
        if self.has(item):
            self._storage.save(self.kind, item.arn, item.document)

    def restore(self) -> None:
        """Read all resources from the storage. Raises DataFolderError."""
        for _, arn, document in self._storage.records(self.kind):
            item = self._restored(arn, document)
            self._items[_key_of(item)] = item

    def _restored(self, arn: str, stored: Document) -> Item:
        """Return the resource of a record."""
        raise NotImplementedError

    def find(self, name: str, caller: Caller, verb: str = "describe") -> Item:
        """Return the resource with this name; raises ResourceNotFoundException, which may name the action's verb."""
        item = self._items.get((caller.account, caller.region, name))
        if item is None:
            raise missing(self.not_found.format(name=name, verb=verb))
        return item

    def by_arn(self, arn: str) -> Item | None:
        """Return the resource with this ARN, if it exists."""
        return next((item for item in self if item.arn == arn), None)

    def of(self, caller: Caller) -> list[Item]:
        """Return the caller's resources."""
        return [item for key, item in self._items.items() if key[:2] == (caller.account, caller.region)]

    def delete(self, name: str, caller: Caller) -> Item:
        """Delete a resource and return it."""
        item = self.find(name, caller, "delete")
        del self._items[caller.account, caller.region, name]
        self._storage.delete(self.kind, item.arn)
        self._changed(item.arn)
        return item

    def _changed(self, arn: str) -> None:
        for follow in self.on_change:
            follow(arn)


def _key_of(item: Resource) -> tuple[str, str, str]:
    _, _, _, region, account, _ = item.arn.split(":", 5)
    return account, region, item.name


def pick(params: Params, *names: str) -> Params:
    """Return those of the named parameters that are present."""
    return {name: params[name] for name in names if name in params}
