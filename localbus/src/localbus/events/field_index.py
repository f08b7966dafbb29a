"""Who wants which values of one field: a value finds those that it may suit, and hardly any others.

An entry stands under the values that it wants, under the beginnings and endings, or in a tree of spans of numbers. One
that wants what cannot be looked up, such as anything but a value, is found by every value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from localbus.event_pattern.json_tokenizer import Value
from localbus.event_pattern.matchers import (
    FieldMatcher,
    IgnoringCase,
    Matcher,
    NumericRange,
    PrefixOrSuffix,
    is_comparable,
    key_of,
)
from localbus.event_pattern.wildcard import Wildcard
from localbus.events.interval_tree import Spans

Entry = TypeVar("Entry")
Key = tuple[str, Hashable]

_ANY: Key = ("any", None)


def keys_of(wanted: FieldMatcher) -> set[Key]:
    """What an entry stands under, spans aside."""
    return {("is", value) for value in wanted.exact} | {
        _key_of_test(test) for test in wanted.matchers if not isinstance(test, NumericRange)
    }


def _key_of_test(test: Matcher) -> Key:
    match test:
        case PrefixOrSuffix():
            return (test.which, test.text)
        case IgnoringCase():
            return ("folded", test.folded)
        case Wildcard() if test.first:
            return ("prefix", test.first)
        case Wildcard() if test.last:
            return ("suffix", test.last)
    return _ANY


def is_open(wanted: FieldMatcher) -> bool:
    """Whether what is wanted cannot be looked up."""
    return _ANY in keys_of(wanted)


def _spans_of(wanted: FieldMatcher) -> list[NumericRange]:
    return [test for test in wanted.matchers if isinstance(test, NumericRange)]


class FieldIndex(Generic[Entry]):
    """Entries by what they want in one field."""

    def __init__(self) -> None:
        self._by_key: dict[Key, list[Entry]] = {}
        self._lengths: dict[str, Counter[int]] = {"prefix": Counter(), "suffix": Counter()}
        self._spans: Spans[Entry] = Spans()

    def __bool__(self) -> bool:
        return bool(self._by_key or self._spans)

    def add(self, entry: Entry, wanted: FieldMatcher) -> None:
        """Take in an entry."""
        for key in keys_of(wanted):
            self._by_key.setdefault(key, []).append(entry)
            if key[0] in self._lengths:
                self._lengths[key[0]][len(str(key[1]))] += 1
        for span in _spans_of(wanted):
            self._spans.add(span.low, span.high, entry)

    def remove(self, entry: Entry, wanted: FieldMatcher) -> None:
        """Take out an entry that wants this."""
        for key in keys_of(wanted):
            self._by_key[key].remove(entry)
            if not self._by_key[key]:
                del self._by_key[key]
            if key[0] in self._lengths:
                self._lengths[key[0]] -= Counter([len(str(key[1]))])
        if _spans_of(wanted):
            self._spans.remove(entry)

    def crowd(self, wanted: FieldMatcher) -> int:
        """How many entries an entry that wants this would stand among."""
        among_keys = sum(len(self._by_key.get(key, ())) for key in keys_of(wanted))
        return among_keys + sum(self._spans.crossing(span.low, span.high) for span in _spans_of(wanted))

    def find(self, value: Value) -> Iterator[Entry]:
        """The entries that the value may suit."""
        by_key = self._by_key
        yield from by_key.get(("is", key_of(value)), ())
        yield from by_key.get(_ANY, ())
        if isinstance(value, str):
            for length in self._lengths["prefix"]:
                yield from by_key.get(("prefix", value[:length]), ())
            for length in self._lengths["suffix"]:
                yield from by_key.get(("suffix", value[-length:] if length else ""), ())
            yield from by_key.get(("folded", value.lower()), ())
        elif self._spans and is_comparable(value):
            yield from self._spans.around(float(value or 0))
