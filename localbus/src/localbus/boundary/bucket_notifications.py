"""The notification configuration of a bucket: read from XML or from a template, and checked as S3 does.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final
from xml.etree import ElementTree

from localbus.boundary.configuration import as_object, as_objects, not_sent
from localbus.errors import AwsError

EVENTS: Final = frozenset(
    f"s3:{family}:{event}" if event else f"s3:{family}"
    for family, events in {
        "IntelligentTiering": "",
        "LifecycleExpiration": "* Delete DeleteMarkerCreated",
        "LifecycleTransition": "",
        "ObjectAcl": "Put",
        "ObjectAnnotation": "* Put Delete",
        "ObjectCreated": "* Put Post Copy CompleteMultipartUpload",
        "ObjectRemoved": "* Delete DeleteMarkerCreated",
        "ObjectRestore": "* Post Completed Delete",
        "ObjectRetention": "Put",
        "ObjectTagging": "* Put Delete",
        "ReducedRedundancyLostObject": "",
        "Replication": "* OperationFailedReplication OperationNotTracked OperationMissedThreshold "
        "OperationReplicatedAfterThreshold",
    }.items()
    for event in events.split() or [""]
)
# What the upstream sends, and an event that no bucket has any more.
_SENT: Final = ("s3:ObjectCreated:", "s3:ObjectRemoved:", "s3:ObjectRestore:", "s3:ReducedRedundancyLostObject")
_MAX_FILTER_BYTES: Final = 1024
_IN_TEMPLATES: Final = ("QueueConfigurations", "TopicConfigurations", "LambdaConfigurations")


@dataclass(frozen=True)
class Notification:
    """One of a bucket's notifications. `rules` are the name and the value of each filter rule."""

    target: str
    events: tuple[str, ...]
    rules: tuple[tuple[str, str], ...] = ()

    def filter_value(self, name: str) -> str:
        """Return the prefix or the suffix; empty without one."""
        return dict(self.rules).get(name, "")

    def overlaps(self, other: Notification) -> bool:
        """Return whether an object can match both filters by an event that both have."""
        prefixes, suffixes = ([one.filter_value(name) for one in (self, other)] for name in ("prefix", "suffix"))
        if not any(_covers(a, b) or _covers(b, a) for a in self.events for b in other.events):
            return False
        one_begins = prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0])
        return one_begins and (suffixes[0].endswith(suffixes[1]) or suffixes[1].endswith(suffixes[0]))


def _covers(event: str, other: str) -> bool:
    return event == other or (event.endswith("*") and other.startswith(event[:-1]))


def read_xml(text: str) -> list[Notification]:
    """Read the body of PutBucketNotificationConfiguration. Raises AwsError (MalformedXML)."""
    try:
        root = ElementTree.fromstring(text[text.find("<") : text.rfind(">") + 1])  # noqa: S314 (expat limits entities)
    except ElementTree.ParseError as exc:
        reason = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", reason) from exc
    return [_from_element(one) for one in root if _tag(one) != "EventBridgeConfiguration"]


def _from_element(element: ElementTree.Element) -> Notification:
    texts = {_tag(one): (one.text or "").strip() for one in element}
    targets = [texts[name] for name in ("Queue", "Topic", "CloudFunction", "LambdaFunctionArn") if name in texts]
    events = tuple((one.text or "").strip() for one in element if _tag(one) == "Event")
    found = [{_tag(part): part.text or "" for part in one} for one in element.iter() if _tag(one) == "FilterRule"]
    rules = tuple((one.get("Name", "").strip().lower(), one.get("Value", "")) for one in found)
    return Notification("".join(targets), events, rules)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def read_properties(configuration: object) -> list[Notification]:
    """Read the property NotificationConfiguration of a template's bucket."""
    return list(_in_properties(as_object(configuration)))


def _in_properties(configuration: Mapping[str, Any]) -> Iterator[Notification]:
    for name in _IN_TEMPLATES:
        for one in as_objects(configuration.get(name)):
            target = one.get("Queue", one.get("Topic", one.get("Function", "")))
            given = as_objects(as_object(as_object(one.get("Filter")).get("S3Key")).get("Rules"))
            rules = tuple((str(rule.get("Name")).lower(), str(rule.get("Value"))) for rule in given)
            yield Notification(str(target), (str(one.get("Event", "")),), rules)


def check(notifications: list[Notification]) -> None:
    """Raise AwsError for a configuration that S3 refuses, or that names an event that the upstream never sends."""
    for one in notifications:
        for event in one.events or ("",):
            if event not in EVENTS:
                raise _invalid(f"The event {event!r} is not supported for notifications")
            if not event.startswith(_SENT) and ":lambda:" not in one.target:
                raise not_sent(f"The notification {event} of a bucket")
        _check_rules(one.rules)
    for first, second in combinations(notifications, 2):
        if first.overlaps(second):
            raise _invalid(
                "An object key name filtering rule is defined with overlapping prefixes, overlapping suffixes, or"
                f" overlapping combinations of both for the same event types: {first.target} and {second.target}"
            )


def _check_rules(rules: tuple[tuple[str, str], ...]) -> None:
    names = [name for name, _ in rules]
    for name, value in rules:
        if name not in {"prefix", "suffix"}:
            raise _invalid(f"filter rule name must be either prefix or suffix, not {name!r}")
        if names.count(name) > 1:
            raise _invalid(f"Cannot specify more than one {name} rule in a filter.")
        if len(value.encode()) > _MAX_FILTER_BYTES:
            raise _invalid(f"Size of filter rule value cannot exceed {_MAX_FILTER_BYTES} bytes in UTF-8 representation")


def _invalid(reason: str) -> AwsError:
    return AwsError("InvalidArgument", reason)
