"""Random expressions and statements of DynamoDB: localbus alone, or compared with Amazon's DynamoDB Local.

Alone, an answer must be a success or an error of the caller that shows nothing of the engine's inside. With
DYNAMODB_LOCAL_URL set to the address of DynamoDB Local, the answers and the items left must be equal. Not compared: the
text of an error where a request has several faults (all updates and statements), and the second of two overlapping
paths, which DynamoDB Local confuses with others. Not generated: the words SIZE and CONVERT as names, which AWS's page
has as reserved and DynamoDB Local takes, and values to the left of keys in WHERE, which DynamoDB Local turns round.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fuzz.remnants import fault_of
from fuzz.standard_error import StandardError
from fuzz.wire import request_of
from localbus.clock import ManualClock
from localbus.dynamodb.attribute_value import check_item
from localbus.engine import Engine, Options
from localbus.http.message import Response

_TABLE = "fuzzed"
_NAMES = ("a", "b", "c", "m", "l", "s", "n", "e", "f", "g", "x")
_TEXTS = ("", "a", "ab", "b", "é", "😀")
_NUMBERS = ("0", "1", "2", "-1", "1.5", "10", "1E2", "0.10", "1E125", "-9E-130")
_BLOBS = ("YQ==", "YWI=", "/w==")
_SETS = {"SS": ("a", "b", "c"), "NS": ("1", "2", "-3"), "BS": ("YQ==", "Yg==")}
_REFERENCES = {"#a": "a", "#b": "b.c"}
_VALUES = (":a", ":b", ":c", ":d")
_BREAKS = ("", " ", "(", ")", ",", "=", "<", "x", "1", "AND ", ".", "[", "]", "#", ":", "-", "é", "'", '"', "||", "+ 1")
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, "
    "Signature=0",
}

Call = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]


class Case(NamedTuple):
    """An item, and a request about it."""

    item: dict[str, Any]
    action: str
    params: dict[str, Any]


class Outcome(NamedTuple):
    """The answer (a code and a text, or what was returned) and the item left."""

    answer: Any
    left: Any


def run(seed: int, count: int) -> list[str]:
    """Try `count` random cases. Return the faults, or the differences from DynamoDB Local."""
    rng = random.Random(f"dynamodb {seed}")
    cases = [_case(rng, f"{seed}-{number}") for number in range(count)]
    with StandardError() as errors:
        return asyncio.run(_compare(cases, errors))


async def _compare(cases: list[Case], errors: StandardError) -> list[str]:
    engine = Engine(Options(), ManualClock())
    faults: list[str] = []

    def ours(action: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        request = request_of("dynamodb", action, params)
        response = engine.router.handle(request)
        assert isinstance(response, Response)
        assert isinstance(response.body, bytes)
        fault = fault_of(request, response) or errors.taken()
        if fault:
            faults.append(f"{action} {json.dumps(params)}: {fault}")
        return response.status, json.loads(response.body)

    other = _local(os.environ["DYNAMODB_LOCAL_URL"]) if "DYNAMODB_LOCAL_URL" in os.environ else None
    try:
        for call in (ours, *([other] if other else [])):
            _create(call)
        for case in cases:
            found = _outcome(ours, case)
            if other is not None and not _same(case, found, expected := _outcome(other, case)):
                faults.append(f"{case}\n  localbus: {found}\n  DynamoDB Local: {expected}")
    finally:
        await engine.stop()
    return faults


def _local(address: str) -> Call:
    """Return a function that calls DynamoDB Local."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)

    def call(action: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        target = {"X-Amz-Target": f"DynamoDB_20120810.{action}"}
        connection.request("POST", "/", json.dumps(params), _HEADERS | target)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    return call


def _create(call: Call) -> None:
    call("DeleteTable", {"TableName": _TABLE})
    definition = {
        "TableName": _TABLE,
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    status, answer = call("CreateTable", definition)
    assert status == 200, answer


def _outcome(call: Call, case: Case) -> Outcome:
    """Put the item, send the request, and read what is left."""
    key = {"TableName": _TABLE, "Key": {"p": case.item["p"]}}
    status, answer = call("PutItem", {"TableName": _TABLE, "Item": case.item})
    assert status == 200, answer
    status, answer = call(case.action, case.params)
    left = call("GetItem", key | {"ConsistentRead": True})[1].get("Item")
    if status != 200:
        code = str(answer["__type"]).rpartition("#")[2]
        return Outcome((code, answer.get("message") or answer.get("Message")), _normal(left))
    found = answer.get("Items", [answer.get("Item") or answer.get("Attributes")])
    return Outcome([_normal(one) for one in found], _normal(left))


def _normal(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an item in the form that localbus stores: sets in order, numbers as plain decimals."""
    if item:
        check_item(item)
    return item


def _same(case: Case, found: Outcome, expected: Outcome) -> bool:
    if not isinstance(expected.answer, tuple) or not isinstance(found.answer, tuple):
        return found == expected
    texts_differ = case.action in ("UpdateItem", "ExecuteStatement") or "paths overlap" in str(expected.answer[1])
    one, other = found.answer, expected.answer
    return found.left == expected.left and (one[0] == other[0] if texts_differ else _plain(one) == _plain(other))


def _plain(answer: tuple[str, str]) -> str:
    """Return an error's text without AWS's newer prefix and without numbers, which localbus shows in normal form."""
    return answer[1].removeprefix("1 validation error detected: ").partition("lower bound operand")[0]


# Cases


def _case(rng: random.Random, key: str) -> Case:
    item = {name: _value(rng) for name in _NAMES if rng.random() < 0.7}
    for name, kind in zip("lmsnefg", ("L", "M", "S", "N", "SS", "NS", "BS"), strict=True):
        if rng.random() < 0.6:
            item[name] = _of_kind(rng, kind, 0)
    item["p"] = {"S": key}
    make = rng.choice((_condition_case, _condition_case, _update_case, _update_case, _projection_case, _statement_case))
    action, params = make(rng, key)
    return Case(item, action, params)


def _broken(rng: random.Random, text: str) -> str:
    """Return a text, sometimes with one character changed."""
    if rng.random() < 0.95 or not text:
        return text
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(_BREAKS) + text[at + rng.randint(0, 2) :]


def _with_references(rng: random.Random, parameter: str, text: str, key: str, **given: Any) -> dict[str, Any]:
    params: dict[str, Any] = {"TableName": _TABLE, "Key": {"p": {"S": key}}, parameter: text} | given
    names = {name: value for name, value in _REFERENCES.items() if name in text or rng.random() < 0.005}
    values = {name: _operand_value(rng) for name in _VALUES if name in text or rng.random() < 0.005}
    params |= {"ExpressionAttributeNames": names} if names else {}
    return params | ({"ExpressionAttributeValues": values} if values and parameter != "ProjectionExpression" else {})


def _condition_case(rng: random.Random, key: str) -> tuple[str, dict[str, Any]]:
    text = _broken(rng, _condition(rng))
    return "DeleteItem", _with_references(rng, "ConditionExpression", text, key, ReturnValues="ALL_OLD")


def _update_case(rng: random.Random, key: str) -> tuple[str, dict[str, Any]]:
    return "UpdateItem", _with_references(
        rng, "UpdateExpression", _broken(rng, _update(rng)), key, ReturnValues="ALL_NEW"
    )


def _projection_case(rng: random.Random, key: str) -> tuple[str, dict[str, Any]]:
    text = _broken(rng, ", ".join(_path(rng) for _ in range(rng.choice((1, 2, 2, 3)))))
    return "GetItem", _with_references(rng, "ProjectionExpression", text, key)


def _value(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    kinds = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M") if depth < 2 else ("S", "N")
    return _of_kind(rng, rng.choice(kinds), depth)


def _of_kind(rng: random.Random, kind: str, depth: int) -> dict[str, Any]:
    match kind:
        case "L":
            return {"L": [_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]}
        case "M":
            return {"M": {name: _value(rng, depth + 1) for name in rng.sample(_NAMES, rng.randint(0, 3))}}
        case "SS" | "NS" | "BS":
            return {kind: rng.sample(_SETS[kind], rng.randint(1, 2))}
    plain: dict[str, tuple[Any, ...]] = {
        "S": _TEXTS,
        "N": _NUMBERS,
        "B": _BLOBS,
        "BOOL": (True, False),
        "NULL": (True,),
    }
    return {kind: rng.choice(plain[kind])}


def _operand_value(rng: random.Random) -> dict[str, Any]:
    usual = ({"S": "S"}, {"N": "1"}, {"N": "2"}, {"SS": ["a"]}, {"L": [{"N": "1"}]}, {"S": "a"})
    return dict(rng.choice(usual)) if rng.random() < 0.4 else _value(rng)


def _path(rng: random.Random) -> str:
    path = rng.choice(_NAMES) if rng.random() < 0.85 else rng.choice(("#a", "#b", "name", "#zz", "set"))
    while rng.random() < 0.3:
        path += rng.choice((".a", ".b", ".#a", "[0]", "[1]", "[2]"))
    return path


def _operand(rng: random.Random, depth: int = 0, *, update: bool = False) -> str:
    kind = rng.random()
    if kind < 0.45:
        return _path(rng)
    if kind < 0.85 or depth > 1:
        return rng.choice(_VALUES) if rng.random() < 0.99 else ":zz"
    if kind < 0.88:
        return f"({_operand(rng, depth + 1, update=update)})"
    names = ("if_not_exists", "list_append", "size", "foo") if update else ("size", "attribute_exists", "foo")
    name = names[0] if rng.random() < 0.7 else rng.choice(names)
    count = (1 if name == "size" else 2) + (rng.random() < 0.03)
    return f"{name}({', '.join(_operand(rng, depth + 1, update=update) for _ in range(count))})"


def _condition(rng: random.Random, depth: int = 0) -> str:
    kind = rng.random()
    if depth < 3 and kind < 0.4:
        inner = _condition(rng, depth + 1)
        if kind < 0.2:
            return f"{inner} {rng.choice(('AND', 'OR', 'and'))} {_condition(rng, depth + 1)}"
        return f"NOT {inner}" if kind < 0.3 else f"({inner})"
    if kind < 0.7:
        return f"{_operand(rng)} {rng.choice(('=', '<>', '<', '<=', '>', '>='))} {_operand(rng)}"
    if kind < 0.76:
        return f"{_operand(rng)} BETWEEN {_operand(rng)} AND {_operand(rng)}"
    if kind < 0.82:
        return f"{_operand(rng)} IN ({', '.join(_operand(rng) for _ in range(rng.randint(1, 3)))})"
    name = rng.choice(("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"))
    others = [] if name.endswith("exists") and rng.random() < 0.97 else [_operand(rng)]
    return f"{name}({', '.join([_path(rng) if rng.random() < 0.8 else _operand(rng), *others])})"


def _update(rng: random.Random) -> str:
    sections = rng.sample(("SET", "REMOVE", "ADD", "DELETE"), rng.choice((1, 1, 2, 3)))
    if rng.random() < 0.02:
        sections.append("SET")
    return " ".join(
        f"{section} {', '.join(_action(rng, section) for _ in range(rng.randint(1, 2)))}" for section in sections
    )


def _action(rng: random.Random, section: str) -> str:
    if section == "REMOVE":
        return _path(rng)
    if section != "SET":
        return f"{_path(rng)} {rng.choice(_VALUES)}"
    value = _operand(rng, update=True)
    if rng.random() < 0.25:
        value += f" {rng.choice('+-')} {_operand(rng, update=True)}"
    return f"{_path(rng)} = {value}"


def _statement_case(rng: random.Random, key: str) -> tuple[str, dict[str, Any]]:
    where = f"p = '{key}'" + (f" AND {_where(rng)}" if rng.random() < 0.8 else "")
    match rng.choice(("SELECT", "UPDATE", "DELETE")):
        case "SELECT":
            paths = "*" if rng.random() < 0.6 else ", ".join(dict.fromkeys(rng.choices(_NAMES, k=2)))
            text = f"SELECT {paths} FROM {_TABLE} WHERE {where}"  # noqa: S608
        case "UPDATE":
            changes = rng.choice((f"REMOVE {_plain_path(rng)}", f"SET {_plain_path(rng)} = {_plain_value(rng)}"))
            text = f"UPDATE {_TABLE} {changes} WHERE {where} RETURNING ALL {rng.choice(('OLD', 'NEW'))} *"
        case _:
            text = f"DELETE FROM {_TABLE} WHERE {where} RETURNING ALL OLD *"  # noqa: S608
    text = _broken(rng, text)
    values = [_operand_value(rng) for _ in range(text.count("?"))]
    return "ExecuteStatement", {"Statement": text} | ({"Parameters": values} if values else {})


def _plain_path(rng: random.Random) -> str:
    return rng.choice(_NAMES) + rng.choice(("", "", "", ".a", "[0]"))


def _literal(rng: random.Random) -> str:
    return rng.choice(
        ("1", "-1", "1.5", "'a'", "'ab'", "true", "null", "[1]", "{'a': 1}", "<<'a', 'b'>>", "<<1>>", "?")
    )


def _plain_value(rng: random.Random) -> str:
    path = _plain_path(rng)
    others = (f"{path} + 1", f"list_append({path}, [1])", f"if_not_exists({path}, 1)", f"set_add({path}, <<'c'>>)")
    return rng.choice((_literal(rng), path, *others))


def _where(rng: random.Random, depth: int = 0) -> str:
    if depth < 2 and rng.random() < 0.35:
        first, second = _where(rng, depth + 1), _where(rng, depth + 1)
        return rng.choice((f"{first} AND {second}", f"({first} OR {second})", f"NOT {first}"))
    path, value = _plain_path(rng), _literal(rng)
    comparison = f"{path} {rng.choice(('=', '<>', '<', '<=', '>', '>='))} {value}"
    functions = (
        f"begins_with({path}, 'a')",
        f"contains({path}, {value})",
        f"size({path}) = 1",
        f"attribute_type({path}, 'S')",
    )
    others = (f"{path} IN ({value}, 2)", f"{path} BETWEEN 1 AND 2", f"{path} IS MISSING", f"{path} IS NOT MISSING")
    return rng.choice((comparison, comparison, *functions, *others))
