"""A resource of a stack, and its change by the operation that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal

from localbus.cloudformation.resources.base import PhysicalResource, ResourceContext
from localbus.storage.documents import Document


@dataclass
class StackResource:
    """A resource of a stack: a local one, with its properties and attributes, or one in the upstream's stack."""

    logical_id: str
    type: str
    local: bool
    needs: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict)
    shown_properties: str = ""  # as JSON, as its events show them
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    physical_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    changed_at: datetime | None = None

    @property
    def exists(self) -> bool:
        """True if there is a physical resource to delete."""
        return bool(self.physical_id) and self.status != "DELETE_COMPLETE"

    @property
    def is_in_progress(self) -> bool:
        """True while it is being created, updated or deleted."""
        return self.status.endswith("_IN_PROGRESS")

    def context(self, of_stack: ResourceContext) -> ResourceContext:
        """The context for the calls of its type."""
        resource = PhysicalResource(self.physical_id, self.attributes)
        return replace(of_stack, logical_id=self.logical_id, resource=resource)

    def document(self) -> Document:
        """The resource for the storage."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return found | {"needs": sorted(self.needs), "changed_at": time_document(self.changed_at)}

    @classmethod
    def restored(cls, document: Document) -> StackResource:
        """The resource of a document."""
        needs, changed_at = frozenset(document["needs"]), stored_time(document["changed_at"])
        return cls(**document | {"needs": needs, "changed_at": changed_at})


@dataclass(frozen=True)
class Change:
    """A change of a resource. `before` is its earlier state, None if it is new."""

    kind: Literal["created", "updated", "replaced"]
    before: StackResource | None
    after: StackResource

    def document(self) -> Document:
        """The change for the storage, without the resource as it is after it."""
        return {"kind": self.kind, "before": self.before and self.before.document()}


def time_document(moment: datetime | None) -> str | None:
    """A time for the storage."""
    return None if moment is None else moment.isoformat()


def stored_time(text: str | None) -> datetime | None:
    """The time of a document."""
    return None if text is None else datetime.fromisoformat(text)
