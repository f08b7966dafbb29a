"""Filter criteria of event source mappings: which messages a function gets, and what becomes of the others.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
and https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_lambda import cafe
from localbus.lambda_.filter_criteria import read_filter_criteria


def wants(patterns: list[Any], body: str, **record: Any) -> bool:
    """Whether a mapping with these filters wants a message with this body."""
    filters = read_filter_criteria({"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
    assert filters is not None
    return filters.accepts({"body": body, "eventSource": "aws:sqs", **record})


@pytest.mark.parametrize(
    ("body", "pattern", "wanted"),
    [
        # message and pattern are plain strings: filtered by what it says
        ("hello", {"body": ["hello"]}, True),
        ("hello", {"body": [{"prefix": "he"}]}, True),
        ("hello", {"body": ["other"]}, False),
        # a plain string, and a pattern of JSON: dropped, whatever the pattern says
        ("hello", {"body": {"size": ["large"]}}, False),
        ("hello", {"body": {"size": [{"exists": False}]}}, False),
        # JSON, and a pattern of plain strings: dropped
        ('{"size": "large"}', {"body": ['{"size": "large"}']}, False),
        ("5", {"body": ["5"]}, False),
        # message and pattern are JSON: filtered by what it says
        ('{"size": "large"}', {"body": {"size": ["large"]}}, True),
        ('{"size": "small"}', {"body": {"size": ["large"]}}, False),
        ('{"cents": 500}', {"body": {"cents": [{"numeric": [">", 100]}]}}, True),
        ('{"a": {"b": [1, 2]}}', {"body": {"a": {"b": [2]}}}, True),
        ('{"size": "large"}', {"body": {"colour": [{"exists": False}]}}, True),
        # no pattern for the body: filtered by the rest, whatever the body is
        ("hello", {"eventSource": ["aws:sqs"]}, True),
        ('{"size": "large"}', {"eventSource": ["aws:sqs"]}, True),
        ("hello", {"eventSource": ["aws:kinesis"]}, False),
        # what is almost JSON is not
        ("NaN", {"body": ["NaN"]}, True),
        ("[" * 100_000, {"body": [{"prefix": "["}]}, True),
    ],
)
def test_the_table_of_formats(body: str, pattern: Any, wanted: bool) -> None:
    """AWS's table of what a body is and what a pattern expects it to be."""
    assert wants([pattern], body) is wanted


def test_one_of_the_filters_must_match() -> None:
    """Filters are alternatives."""
    patterns = [{"body": {"size": ["large"]}}, {"body": ["hello"]}]

    assert wants(patterns, "hello")
    assert wants(patterns, '{"size": "large"}')
    assert not wants(patterns, "bye")


def test_alternatives_within_a_filter_are_judged_apart() -> None:
    """With $or, a body of the wrong format drops only the alternative that asks for it."""
    pattern = {"$or": [{"body": {"size": ["large"]}}, {"attributes": {"SenderId": ["me"]}}]}

    assert wants([pattern], "plain", attributes={"SenderId": "me"})
    assert not wants([pattern], "plain", attributes={"SenderId": "you"})


def test_message_attributes_can_be_asked_for() -> None:
    """Beside the body, whatever stands in the record can be asked for."""
    attributes = {"kind": {"stringValue": "vip", "dataType": "String"}}

    assert wants([{"messageAttributes": {"kind": {"stringValue": ["vip"]}}}], "x", messageAttributes=attributes)


async def test_what_is_not_wanted_is_deleted_and_noted() -> None:
    """A message that no filter matches leaves the queue unseen, and the journal says by which filters."""
    async with cafe() as it:
        queue = it.queue()
        pattern = json.dumps({"body": {"size": ["large"]}})
        await it.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})

        small, text, _ = it.send('{"size": "small"}', "no JSON", '{"size": "large"}')
        await it.invoked(1)

        assert it.functions.bodies() == [['{"size": "large"}']]
        assert it.noted("filtered") == [small, text]
        assert next(it.journal.entries(event="filtered")).detail == {"patterns": [pattern]}
        assert sum(queue.counts()) == 0


async def test_a_batch_is_filled_with_what_is_wanted() -> None:
    """What is filtered out takes no place in a batch."""
    async with cafe() as it:
        it.queue()
        it.send(*(json.dumps({"n": number}) for number in range(40)))

        pattern = json.dumps({"body": {"n": [{"numeric": [">=", 30]}]}})
        await it.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
        await it.invoked(1)

        assert [len(bodies) for bodies in it.functions.bodies()] == [10]
