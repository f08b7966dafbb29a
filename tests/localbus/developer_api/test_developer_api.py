"""The developer API: journal, queues, clock, explanations, the index and errors. `test_peek` covers messages."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from localbus.pytest_plugin import Localbus


def error(answer: httpx.Response) -> str:
    """The message of an answer that must be a 400."""
    assert answer.status_code == 400
    return str(answer.json()["error"])


def test_the_clock_is_advanced_by_http(localbus: Localbus, sqs: Any, url: str) -> None:
    """Fourteen days pass in one request, and a message expires."""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "1209600"})
    sqs.send_message(QueueUrl=url, MessageBody="b")
    before = httpx.get(f"{localbus.url}/_localbus/clock").json()["now"]

    after = httpx.post(f"{localbus.url}/_localbus/clock", json={"advance_s": 1_209_600}).json()

    assert after == {"now": before + 1_209_600, "manual": True}
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_the_journal_is_filtered(localbus: Localbus, sqs: Any, url: str) -> None:
    """By message, by queue, by event, by number, and by the newest."""
    message_id = sqs.send_message(QueueUrl=url, MessageBody="b")["MessageId"]
    sqs.send_message(QueueUrl=url, MessageBody="another")
    [received] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])

    def events(**query: Any) -> list[str]:
        entries = httpx.get(f"{localbus.url}/_localbus/journal", params=query).json()["entries"]
        return [entry["event"] for entry in entries]

    assert events(message_id=message_id) == ["sent", "received", "deleted"]
    assert events(resource="work", event="sent") == ["sent", "sent"]
    assert events(resource="work", event="received,deleted") == ["received", "deleted"]
    assert events(after=3) == ["deleted"]
    assert events(resource="other") == []
    assert events(last=2) == ["received", "deleted"]
    assert events(resource="work", event="sent", last=1) == ["sent"]
    assert events(last=0) == []


def test_the_journal_is_followed(localbus: Localbus, sqs: Any, url: str) -> None:
    """Each new entry is streamed."""
    with httpx.stream("GET", f"{localbus.url}/_localbus/journal?follow=1&event=sent") as answer:
        lines = answer.iter_lines()
        for body in ("a", "b"):
            sent = sqs.send_message(QueueUrl=url, MessageBody=body)
            assert json.loads(next(lines))["message_id"] == sent["MessageId"]


def test_queues_have_counts_and_an_oldest_message(localbus: Localbus, sqs: Any, url: str) -> None:
    """The oldest message may be in flight or delayed; deleted and purged ones do not count."""
    sqs.send_message(QueueUrl=url, MessageBody="old")
    localbus.advance(3600)
    sqs.send_message(QueueUrl=url, MessageBody="young", DelaySeconds=60)
    [received] = sqs.receive_message(QueueUrl=url)["Messages"]

    def counts() -> tuple[int, int, int, float | None]:
        document = httpx.get(f"{localbus.url}/_localbus/queues").json()
        [queue] = [each for each in document["queues"] if url.endswith(each["name"])]
        sent_at = queue["oldest_sent_at"]
        age_s = None if sent_at is None else document["now"] - sent_at
        return queue["visible"], queue["in_flight"], queue["delayed"], age_s

    assert counts() == (0, 1, 1, 3600)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    assert counts() == (0, 0, 1, 0)
    sqs.purge_queue(QueueUrl=url)
    assert counts() == (0, 0, 0, None)


def test_a_match_is_explained(localbus: Localbus) -> None:
    """The pattern is an object or its text, and $or has alternatives."""
    pattern = {"source": ["orders"], "$or": [{"a": [1]}, {"b": [{"exists": False}]}]}

    answers = [
        httpx.post(
            f"{localbus.url}/_localbus/explain", json={"pattern": given, "event": {"source": "x", "a": 1}}
        ).json()
        for given in (pattern, json.dumps(pattern))
    ]

    why = 'source is "x"; wanted: "orders"'
    matched = {"matched": True, "why": None}
    source = {"path": "source", "matched": False, "wanted": '"orders"', "matchers": ["exactly"], "found": ["x"]}
    source["why"] = why
    assert answers[0] == answers[1]
    assert answers[0] == {
        "matches": False,
        "why": why,
        "reasons": [{"path": "a", "wanted": "1", "matchers": ["exactly"], "found": [1], **matched}, source],
        "alternatives": [
            {
                "matches": False,
                "why": why,
                "reasons": [{"path": "b", "wanted": "absent", "matchers": ["exists"], "found": [], **matched}, source],
            }
        ],
    }


def test_health(localbus: Localbus) -> None:
    """It names the version and the services."""
    health = httpx.get(f"{localbus.url}/_localbus/health").json()

    assert (health["status"], health["services"][0]) == ("running", "sqs")
    assert health["version"]
    assert httpx.head(f"{localbus.url}/_localbus/health").status_code == 200


def test_the_index_lists_every_route(localbus: Localbus) -> None:
    """A reader gets text, a program JSON, and every listed GET works."""
    text = httpx.get(f"{localbus.url}/_localbus/").text
    pages = httpx.get(f"{localbus.url}/_localbus", headers={"Accept": "application/json"}).json()["pages"]

    assert all(page["address"] in text and page["about"] in text for page in pages)
    for page in pages:
        if page["method"] == "GET" and page["address"].startswith("/_localbus"):
            address = page["address"].partition("?")[0]
            assert httpx.get(f"{localbus.url}{address}").status_code == 200


def test_the_index_says_who_serves_what(localbus: Localbus) -> None:
    """Each service is listed with its engine and how far it goes."""
    text = httpx.get(f"{localbus.url}/_localbus/").text
    services = httpx.get(f"{localbus.url}/_localbus/", headers={"Accept": "application/json"}).json()["services"]

    assert {one["engine"] for one in services} == {"localbus", "none"}
    assert all(one["service"] in text and one["reach"] in text for one in services)


# Errors


@pytest.mark.parametrize(
    ("method", "page", "body", "expected"),
    [
        *(("POST", "clock", body, "expected {") for body in ("[]", "{}", '{"advance_s": 1, "by": 2}')),
        *(("POST", "clock", f'{{"advance_s": {bad}}}', "Invalid advance_s") for bad in ("-1", '"x"')),
        ("POST", "clock", '{"advance_s": 1e400}', "1e400 is not a number"),
        ("GET", "journal?last=-1", "", "Invalid last '-1': expected a whole number"),
        ("GET", "journal?after=x", "", "Invalid after 'x': expected a whole number"),
        ("GET", "journal?mesage_id=1", "", "Unknown query parameter 'mesage_id': expected message_id, resource, event"),
        ("GET", "journal?follow=yes", "", "Invalid follow 'yes': expected 1 or true."),
        ("PUT", "faults", '{"seed": null}', "Invalid seed null: expected a whole number."),
        ("PUT", "faults", '{"seed": true}', "Invalid seed true: expected a whole number."),
        ("GET", "queues?name=q", "", "Unknown query parameter 'name': expected none"),
        ("PUT", "faults", "[]", "Invalid faults: expected"),
        ("PUT", "faults", '{"rulez": []}', "Invalid faults: expected"),
        ("PUT", "faults", '{"rules": [{"action": "*", "kind": "x", "probability": 1}]}',
         "Invalid kind 'x': expected one of throttle, error_before, error_after, latency, drop, timeout_after."),
        ("PUT", "faults", '{"rules": [{"action": "*", "kind": "drop", "probability": 5}]}',
         "Invalid probability 5: expected a number from 0 to 1."),
        ("PUT", "faults", '{"rules": [{"action": "*", "kind": "latency", "probability": 1, "latency_ms": -1}]}',
         "Invalid latency_ms -1: expected a number"),
        ("PUT", "faults", '{"rules": [{"kind": "drop"}]}', "expected an object with action, kind, probability"),
        ("PUT", "disorder", '{"duplicate": 1}', "unknown setting 'duplicate': expected seed, duplicates"),
        ("PUT", "disorder", '{"duplicates": 5}', "invalid duplicates 5.0: expected a probability from 0 to 1"),
        ("PUT", "disorder", '{"duplicates": "x"}', "invalid duplicates 'x': expected a number"),
        ("POST", "explain", "{}", 'expected {"pattern": '),
        ("POST", "explain", '{"pattern": {"a": [1]}, "event": {}, "x": 1}', 'expected {"pattern": '),
        *(("POST", "explain", f'{{"pattern": {{"a": [1]}}, "event": {bad}}}', f"Invalid event {bad}: expected a JSON")
          for bad in ("null", "[]", '"text"', "7")),
        *(("POST", "explain", f'{{"event": {{}}, "pattern": {bad}}}', "Event pattern is not valid. Reason: ")
          for bad in ("null", "[]", '""', "7", "{}", '{"a": 1}', '"{"', '{"a": [{"prefx": "x"}]}')),
    ],
)  # fmt: skip
def test_an_invalid_request_is_a_400(localbus: Localbus, method: str, page: str, body: str, expected: str) -> None:
    """The error names the wrong value and what is expected."""
    assert expected in error(httpx.request(method, f"{localbus.url}/_localbus/{page}", content=body))


@pytest.mark.parametrize("body", [b"", b"x", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize(("method", "page"), [("PUT", "disorder"), ("PUT", "faults"), ("POST", "explain")])
def test_a_body_that_is_not_json(localbus: Localbus, method: str, page: str, body: bytes) -> None:
    """The error says so."""
    answer = httpx.request(method, f"{localbus.url}/_localbus/{page}", content=body)

    assert error(answer).startswith("The body is not JSON")


@pytest.mark.parametrize(
    ("page", "given"),
    [
        ("faults", {"rules": [{"action": "*", "kind": "drop", "probability": 0}]}),
        ("disorder", {"duplicates": 0.5}),
    ],
)
def test_an_empty_object_ends_faults(localbus: Localbus, page: str, given: dict[str, Any]) -> None:
    """API faults and delivery faults are ended in the same way."""
    address = f"{localbus.url}/_localbus/{page}"
    before = httpx.get(address).json()

    assert httpx.put(address, json=given).json() != before
    assert httpx.put(address, json={}).json() == before


def test_an_unknown_page_or_method(localbus: Localbus) -> None:
    """The error names the nearest page, or the methods that the page accepts."""
    near = httpx.get(f"{localbus.url}/_localbus/jornal")
    method = httpx.delete(f"{localbus.url}/_localbus/faults")

    assert near.status_code == 404
    assert "Did you mean /_localbus/journal?" in near.json()["error"]
    assert method.status_code == 405
    assert "GET and PUT" in method.json()["error"]
