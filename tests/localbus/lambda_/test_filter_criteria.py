"""Filter criteria of event source mappings: they select messages, and the others are deleted.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
and https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from localbus.lambda_.filter_criteria import read_filter_criteria
from support.fake_lambda import MappingBench


def accepts(patterns: list[Any], body: str, **record: Any) -> bool:
    """Return whether a mapping with these filters accepts a message with this body."""
    filters = read_filter_criteria({"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
    assert filters is not None
    return filters.accepts({"body": body, "eventSource": "aws:sqs", **record})


@pytest.mark.parametrize(
    ("body", "pattern", "wanted"),
    [
        # message and pattern are plain strings: filtered by content
        ("hello", {"body": ["hello"]}, True),
        ("hello", {"body": [{"prefix": "he"}]}, True),
        ("hello", {"body": ["other"]}, False),
        # a plain string, and a pattern for JSON: dropped, whatever the pattern
        ("hello", {"body": {"size": ["large"]}}, False),
        ("hello", {"body": {"size": [{"exists": False}]}}, False),
        # JSON, and a pattern for plain strings: dropped
        ('{"size": "large"}', {"body": ['{"size": "large"}']}, False),
        ("5", {"body": ["5"]}, False),
        # message and pattern are JSON: filtered by content
        ('{"size": "large"}', {"body": {"size": ["large"]}}, True),
        ('{"size": "small"}', {"body": {"size": ["large"]}}, False),
        ('{"cents": 500}', {"body": {"cents": [{"numeric": [">", 100]}]}}, True),
        ('{"a": {"b": [1, 2]}}', {"body": {"a": {"b": [2]}}}, True),
        ('{"size": "large"}', {"body": {"colour": [{"exists": False}]}}, True),
        # no pattern for the body: filtered by the rest, whatever the body
        ("hello", {"eventSource": ["aws:sqs"]}, True),
        ('{"size": "large"}', {"eventSource": ["aws:sqs"]}, True),
        ("hello", {"eventSource": ["aws:kinesis"]}, False),
        # invalid JSON is plain text
        ("NaN", {"body": ["NaN"]}, True),
        ("[" * 100_000, {"body": [{"prefix": "["}]}, True),
    ],
)
def test_the_table_of_formats(body: str, pattern: Any, wanted: bool) -> None:
    """The rows are those of AWS's table: the format of a body, and the format that a pattern expects."""
    assert accepts([pattern], body) is wanted


def test_one_of_the_filters_must_match() -> None:
    """Filters are alternatives."""
    patterns = [{"body": {"size": ["large"]}}, {"body": ["hello"]}]

    assert accepts(patterns, "hello")
    assert accepts(patterns, '{"size": "large"}')
    assert not accepts(patterns, "bye")


def test_alternatives_within_a_filter_are_independent() -> None:
    """With $or, a body of the wrong format excludes only the alternatives for another format."""
    pattern = {"$or": [{"body": {"size": ["large"]}}, {"attributes": {"SenderId": ["me"]}}]}

    assert accepts([pattern], "plain", attributes={"SenderId": "me"})
    assert not accepts([pattern], "plain", attributes={"SenderId": "you"})


def test_message_attributes_can_be_filtered() -> None:
    """A filter can match any member of the record."""
    attributes = {"kind": {"stringValue": "vip", "dataType": "String"}}

    assert accepts([{"messageAttributes": {"kind": {"stringValue": ["vip"]}}}], "x", messageAttributes=attributes)


async def test_rejected_messages_are_deleted(bench: MappingBench) -> None:
    """A message that no filter matches is deleted without an invocation; the journal records it with the filters."""
    pattern = json.dumps({"body": {"size": ["large"]}})
    await bench.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})

    small, text, _ = bench.send('{"size": "small"}', "not JSON", '{"size": "large"}')
    await bench.invoked(1)

    assert bench.functions.bodies() == [['{"size": "large"}']]
    assert bench.noted("filtered") == [small, text]
    assert next(bench.journal.entries(event="filtered")).detail == {"patterns": [pattern]}
    deleted = "; as on AWS, it is deleted from the queue"
    reasons = ["no filter of the mapping accepts it", "the body is not JSON, and the filters expect JSON"]
    assert [loss.reason for loss in bench.losses] == [f"{reason}{deleted}" for reason in reasons]
    assert sum(bench.work.counts()) == 0


@pytest.mark.parametrize(
    ("body", "pattern", "reason"),
    [
        ("hello", {"body": {"size": ["large"]}}, "the body is not JSON, and the filters expect JSON"),
        ('{"size": "large"}', {"body": ["hello"]}, "the body is JSON, and the filters expect plain text"),
        ('{"size": "small"}', {"body": {"size": ["large"]}}, None),
    ],
)
def test_a_body_of_the_wrong_form_is_told_apart(body: str, pattern: Any, reason: str | None) -> None:
    """A message that no filter could ever accept is reported in the journal and the log, with the reason."""
    filters = read_filter_criteria({"Filters": [{"Pattern": json.dumps(pattern)}]})

    assert filters is not None
    assert filters.mismatch({"body": body}) == reason


async def test_rejected_messages_do_not_count_for_a_batch(bench: MappingBench) -> None:
    """A batch is filled with accepted messages."""
    bench.send(*(json.dumps({"n": number}) for number in range(40)))

    pattern = json.dumps({"body": {"n": [{"numeric": [">=", 30]}]}})
    await bench.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    await bench.invoked(1)

    assert [len(bodies) for bodies in bench.functions.bodies()] == [10]
