"""Faults that the embedded backend injects, from the command line's form to that of localbus's developer API. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from orderboard.option_values import parse_number, parse_whole_number

NONE: Final = "none"
DELIVERY_FAULTS: Final = ("duplicates", "reordering", "missed_polls", "doubled_events")
API_FAULTS: Final = ("throttle", "error_before", "error_after", "latency", "drop", "timeout_after")
_WITH_LENGTH: Final = ("latency", "timeout_after")
_API_FAULT: Final = re.compile(r"([a-z_]+)(?::([A-Za-z]{1,100}))?(?:/([0-9]{1,6})ms)?")
_EXAMPLE: Final = "throttle=0.1 or latency:ReceiveMessage/300ms=0.5"


def delivery_faults(text: str, *, any_name: bool = False) -> dict[str, Any]:
    """Parse `seed=7,duplicates=0.05`, or `none`; raise ValueError. any_name: localbus checks the names."""
    document: dict[str, Any] = dict.fromkeys(DELIVERY_FAULTS, 0)
    for name, value in _pairs(text):
        if name == "seed":
            document["seed"] = parse_whole_number(value)
        elif any_name or name in DELIVERY_FAULTS:
            document[name] = _share(name, value)
        else:
            raise ValueError(f"unknown setting {name!r}: expected seed, {', '.join(DELIVERY_FAULTS)}, or {NONE}")
    return document


def api_faults(text: str, *, any_kind: bool = False) -> dict[str, Any]:
    """Parse `throttle=0.1,error_after:PublishBatch=0.2,latency/300ms=0.5`, or `none`; raise ValueError.

    any_kind: localbus checks the kinds.
    """
    seed, rules = 0, []
    for name, value in _pairs(text):
        if name == "seed":
            seed = parse_whole_number(value)
            continue
        match = _API_FAULT.fullmatch(name)
        kind, action, latency_ms = match.groups() if match is not None else ("", None, None)
        if kind not in API_FAULTS and not (any_kind and kind):
            raise ValueError(
                f"unknown fault {name!r}: expected one of {', '.join(API_FAULTS)}, for one action or all, "
                f"such as {_EXAMPLE}; or {NONE}"
            )
        if kind == "latency" and latency_ms is None:
            raise ValueError("latency needs its length, such as latency/300ms=0.5")
        if latency_ms is not None and kind not in _WITH_LENGTH:
            raise ValueError(f"{kind} has no length; only {' and '.join(_WITH_LENGTH)} have one")
        rule = {"action": action or "*", "kind": kind, "probability": _share(name, value)}
        rules.append(rule if latency_ms is None else rule | {"latency_ms": int(latency_ms)})
    return {"seed": seed, "rules": rules}


def delivery_faults_text(document: Mapping[str, Any]) -> str:
    """Return the settings of localbus's delivery faults in the command line's form."""
    shares = [f"{name}={document[name]:g}" for name in document if name not in ("seed", "queues") and document[name]]
    return ",".join([*shares, f"seed={document['seed']}"] if shares and document.get("seed") else shares) or NONE


def api_faults_text(rules: Iterable[Mapping[str, Any]]) -> str:
    """Return the rules of localbus's API faults in the command line's form."""
    parts = []
    for rule in rules:
        action = "" if rule["action"] == "*" else f":{rule['action']}"
        latency = f"/{rule['latency_ms']:g}ms" if rule.get("latency_ms") else ""
        parts.append(f"{rule['kind']}{action}{latency}={rule['probability']:g}")
    return ",".join(parts) or NONE


def api_fault_names(text: str) -> list[str]:
    """Return the names of the faults in valid settings of API faults."""
    parts = (part.strip() for part in text.split(","))
    return [name for part in parts if (name := re.split("[=:/]", part)[0]) not in ("", "seed", NONE)]


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    pairs: dict[str, str] = {}
    for part in () if text == NONE else text.split(","):
        name, _, value = part.strip().partition("=")
        if name in pairs:
            raise ValueError(f"{name} is given twice")
        pairs[name] = value
    return pairs.items()


def _share(name: str, value: str) -> float:
    try:
        share = parse_number(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"expected a probability from 0 to 1 for {name}, not {value[:40]!r}")
    return share
