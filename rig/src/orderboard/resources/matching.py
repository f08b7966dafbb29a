"""The answer to `why did it not match?`: of a rule's pattern, a filter policy, or a mapping's filter criteria.

localbus gives a reason for each field. On other backends EventBridge's TestEventPattern answers for patterns, without a
reason; SNS and Lambda have no such call, so their filters are tested as a pattern for `detail`: the syntax is the same.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from orderboard.errors import UsageError
from orderboard.resources.inventory import Document
from orderboard.system.localbus import Localbus
from orderboard.system.target import AWS_ERRORS

# Fields that TestEventPattern requires of every event, besides source, detail-type and detail.
REQUIRED: Final[dict[str, Any]] = {
    "id": "00000000-0000-0000-0000-000000000000",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
}
_ENTRY: Final = {"Source": "source", "DetailType": "detail-type", "Resources": "resources", "Time": "time"}


@dataclass(frozen=True)
class Match:
    """An answer: matched is None if the backend has none. reasons has a row for each field, of localbus only.

    event is what was tested, empty if nothing was.
    """

    name: str
    pattern: str
    matched: bool | None
    why: str
    reasons: tuple[Mapping[str, Any], ...] = ()
    event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Matcher:
    """Tests patterns on a backend: by localbus's developer API, or (engine None) by a client of EventBridge."""

    engine: Localbus | None
    events: Any

    def pattern(self, name: str, pattern: str, event: dict[str, Any]) -> Match:
        """Test an event pattern."""
        if self.engine is not None:
            found = self.engine.explain(pattern, event)
            return Match(name, pattern, found["matches"], found["why"], tuple(found["reasons"]), event)
        try:
            matched = self.events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
        except AWS_ERRORS as exc:
            return Match(name, pattern, None, f"The backend did not answer: {exc}")
        return Match(name, pattern, matched, "Only localbus gives reasons.", event=event)

    def policy(self, name: str, policy: str, fields: dict[str, Any]) -> Match:
        """Test a filter policy, by the message's attributes or by its body."""
        if not json.loads(policy or "{}"):
            return Match(name, policy, matched=True, why="The subscription has no filter policy.")
        if self.engine is not None:
            return self.pattern(name, policy, fields)
        event = {**REQUIRED, "source": "sns", "detail-type": "attributes", "detail": fields}
        return self.pattern(name, json.dumps({"detail": json.loads(policy)}), event)

    def resource(self, kind: str, document: Document, text: str) -> list[Match]:
        """Test what the user pasted by the rule, subscription or mapping; UsageError if it cannot be read."""
        match kind:
            case "rule":
                return [self._rule(document, read_event(text))]
            case "subscription":
                by_body = document.get("FilterPolicyScope") == "MessageBody"
                fields = read_object(text, "message body") if by_body else read_attributes(text)
                return [self.policy("FilterPolicy", str(document.get("FilterPolicy") or ""), fields)]
            case "mapping":
                filters = document.get("FilterCriteria", {}).get("Filters", [])
                record = read_record(text)
                found = [self.policy(f"Filter {n}", each["Pattern"], record) for n, each in enumerate(filters, 1)]
                return found or [Match("Filters", "", matched=True, why="The mapping has no filter criteria.")]
        raise UsageError("Only rules, subscriptions and event source mappings have a filter.")

    def _rule(self, rule: Document, event: dict[str, Any]) -> Match:
        name, pattern = str(rule["Name"]), rule.get("EventPattern")
        if not pattern:
            schedule = rule.get("ScheduleExpression", "")
            return Match(name, "", matched=False, why=f"It has a schedule ({schedule}) and no event pattern.")
        found = self.pattern(name, pattern, event)
        if found.matched and rule.get("State") == "DISABLED":
            return replace(found, matched=False, why="The pattern matches, but the rule is disabled.")
        return found


def read_object(text: str, what: str = "event") -> dict[str, Any]:
    """Read a JSON object."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"The {what} is not valid JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise UsageError(f"The {what} must be a JSON object.")
    return document


def read_event(text: str) -> dict[str, Any]:
    """Read an EventBridge event; an entry of PutEvents or a CloudEvents document is put into an envelope."""
    document = read_object(text)
    if "Detail" in document and "DetailType" in document:
        detail = document["Detail"]
        found = {name: document[key] for key, name in _ENTRY.items() if key in document}
        return {**REQUIRED, **found, "detail": read_object(detail, "Detail") if isinstance(detail, str) else detail}
    if "detail-type" not in document and "type" in document:
        document = {"source": document.get("source"), "detail-type": document["type"], "detail": document}
    return {**REQUIRED, **document}


def read_attributes(text: str) -> dict[str, Any]:
    """Read message attributes: plain values, those of Publish, or those in the envelope that SNS sends."""
    document = read_object(text, "list of attributes")
    document = document.get("MessageAttributes", document)
    if not isinstance(document, dict):
        raise UsageError("MessageAttributes must be a JSON object.")
    return {name: _attribute(name, value) for name, value in document.items()}


def read_record(text: str) -> dict[str, Any]:
    """Read a record as Lambda gets it; anything else is taken for the message's body."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = text
    return document if isinstance(document, dict) and "body" in document else {"body": document}


def _attribute(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind = str(value.get("DataType", value.get("Type", "String")))
    text = str(value.get("StringValue", value.get("Value", "")))
    if kind.startswith("Number") or kind == "String.Array":
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError) as exc:
            raise UsageError(f"The attribute {name} is a {kind}, and {text!r} is not one.") from exc
    return text
