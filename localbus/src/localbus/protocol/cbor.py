"""CBOR as Smithy's protocol uses it: maps, lists, texts, bytes, numbers, booleans, null and times.

A time is read as its seconds and bytes as base64, as JSON has them, so that one reader of shapes does for both.
Source: https://www.rfc-editor.org/rfc/rfc8949
"""

from __future__ import annotations

import base64
import struct
from datetime import datetime
from typing import Any, Final

_DEEPEST: Final = 32
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE: Final = 31
_BREAK: Final = object()
_LENGTHS: Final = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_CONSTANTS: Final = {20: False, 21: True, 22: None, 23: None}


def loads(data: bytes) -> Any:
    """Return the value of a document. Raises ValueError."""
    reader = _Reader(data)
    value = reader.value(0)
    if value is _BREAK or reader.at != len(data):
        raise ValueError("it does not end where its first value ends")
    return value


def dumps(value: object) -> bytes:
    """Return the document of a value."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
        first = self._take(1)[0]
        kind, detail = first >> 5, first & 31
        if kind == _SIMPLE:
            return self._simple(detail)
        if detail == _INDEFINITE and kind in {_BYTES, _TEXT, _LIST, _MAP}:
            return self._indefinite(kind, depth)
        size = self._size(detail)
        if kind in {_LIST, _MAP, _TAG}:
            return self._container(kind, size, depth)
        if kind in {_UNSIGNED, _NEGATIVE}:
            return size if kind == _UNSIGNED else -1 - size
        taken = self._take(size)
        return taken.decode() if kind == _TEXT else base64.b64encode(taken).decode()

    def _container(self, kind: int, size: int, depth: int) -> Any:
        if kind == _TAG:  # the only one of the protocol is that of a time
            return self._item(depth)
        if kind == _LIST:
            return [self._item(depth) for _ in range(self._checked(size))]
        return dict(self._pair(depth) for _ in range(self._checked(size)))

    def _item(self, depth: int) -> Any:
        value = self.value(depth + 1)
        if value is _BREAK:
            raise ValueError("a value ends too early")
        return value

    def _pair(self, depth: int) -> tuple[str, Any]:
        key = self._item(depth)
        if not isinstance(key, str):
            raise ValueError("a key of a map is not a text")  # noqa: TRY004 (the document is not valid)
        return key, self._item(depth)

    def _indefinite(self, kind: int, depth: int) -> Any:
        found: list[Any] = []
        while (value := self.value(depth + 1)) is not _BREAK:
            found.append(value)
        if kind == _LIST:
            return found
        if kind == _MAP:
            if len(found) % 2 or not all(isinstance(key, str) for key in found[::2]):
                raise ValueError("a map has a key without a value, or one that is not a text")
            return dict(zip(found[::2], found[1::2], strict=True))
        if not all(isinstance(part, str) for part in found):
            raise ValueError("a part of a text is not a text")
        if kind == _TEXT:
            return "".join(found)
        return base64.b64encode(b"".join(base64.b64decode(part) for part in found)).decode()

    def _simple(self, detail: int) -> Any:
        if detail == _INDEFINITE:
            return _BREAK
        if detail in _FLOATS:
            return struct.unpack(_FLOATS[detail], self._take(struct.calcsize(_FLOATS[detail])))[0]
        if detail in _CONSTANTS:
            return _CONSTANTS[detail]
        raise ValueError(f"the simple value {detail} is not part of the protocol")

    def _size(self, detail: int) -> int:
        if detail < 24:
            return detail
        if detail not in _LENGTHS:
            raise ValueError(f"the length {detail} is not valid")
        size: int = struct.unpack(_LENGTHS[detail], self._take(struct.calcsize(_LENGTHS[detail])))[0]
        return size

    def _checked(self, size: int) -> int:
        """Return a number of items, each of which takes a byte at least."""
        if size > len(self._data) - self.at:
            raise ValueError("it ends too early")
        return size

    def _take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) < size:
            raise ValueError("it ends too early")
        self.at += size
        return taken


def _write(out: bytearray, value: object) -> None:
    match value:
        case bool():
            out.append(0xF5 if value else 0xF4)
        case None:
            out.append(0xF6)
        case int():
            _head(out, _NEGATIVE if value < 0 else _UNSIGNED, -1 - value if value < 0 else value)
        case float():
            out += b"\xfb" + struct.pack(">d", value)
        case str():
            data = value.encode("utf-8", "replace")
            _head(out, _TEXT, len(data))
            out += data
        case bytes():
            _head(out, _BYTES, len(value))
            out += value
        case datetime():
            _head(out, _TAG, 1)
            out += b"\xfb" + struct.pack(">d", value.timestamp())
        case dict():
            _head(out, _MAP, len(value))
            for key, item in value.items():
                _write(out, key)
                _write(out, item)
        case list() | tuple():
            _head(out, _LIST, len(value))
            for item in value:
                _write(out, item)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as CBOR")


def _head(out: bytearray, kind: int, size: int) -> None:
    if size < 24:
        out.append(kind << 5 | size)
        return
    for detail, form in _LENGTHS.items():
        if size < 1 << 8 * struct.calcsize(form):
            out.append(kind << 5 | detail)
            out += struct.pack(form, size)
            return
    raise TypeError(f"{size} is too large for CBOR")
