"""HdrHistogram's log of latencies: a compressed histogram for each second, tagged `accept` or `end_to_end`.

Format 1.3 of the log with the V2 encoding of histograms, in nanoseconds, as the viewers of HdrHistogram expect by
default: https://github.com/HdrHistogram/HdrHistogram (AbstractHistogram.encodeIntoByteBuffer, HistogramLogWriter).
Written here because the Python library needs a compiler and setuptools at run time.
"""

import base64
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from orderboard.burst.measure.recorder import Second

_COOKIE: Final = 0x1C849303 | 0x10
_COMPRESSED_COOKIE: Final = 0x1C849304 | 0x10
_DIGITS: Final = 3
_LOWEST_NS: Final = 1_000
_HIGHEST_NS: Final = 24 * 3600 * 10**9
# Derived as HdrHistogram does: the unit is the power of two at or below the lowest value, and 2,048 sub-buckets give
# three digits.
_UNIT_BITS: Final = _LOWEST_NS.bit_length() - 1
_HALF_BITS: Final = 10
_MASK: Final = (2 * 2**_HALF_BITS - 1) << _UNIT_BITS


def log_lines(seconds: Mapping[int, Second], started_at: float) -> Iterator[str]:
    """Yield the lines of the log. seconds: by their number; started_at: of second 0, by time.time()."""
    yield "#[Histogram log format version 1.3]"
    yield f"#[StartTime: {started_at:.3f} (seconds since epoch)]"
    yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
    for number in sorted(seconds):
        for tag, values_ms in (("accept", seconds[number].accept_ms), ("end_to_end", seconds[number].end_to_end_ms)):
            if values_ms:
                yield f"Tag={tag},{number:.3f},1.000,{max(values_ms):.3f},{encoded(values_ms)}"


def encoded(values_ms: Iterable[float]) -> str:
    """Return the histogram of these milliseconds in base64."""
    counts = Counter(_index(min(max(round(value * 1e6), 0), _HIGHEST_NS)) for value in values_ms)
    payload = b"".join(_payload(counts))
    head = struct.pack(">iiiiqqd", _COOKIE, len(payload), 0, _DIGITS, _LOWEST_NS, _HIGHEST_NS, 1.0)
    packed = zlib.compress(head + payload)
    return base64.b64encode(struct.pack(">ii", _COMPRESSED_COOKIE, len(packed)) + packed).decode()


def _index(value_ns: int) -> int:
    bucket = (value_ns | _MASK).bit_length() - _UNIT_BITS - _HALF_BITS - 1
    sub_bucket = value_ns >> (bucket + _UNIT_BITS)
    return ((bucket + 1) << _HALF_BITS) + sub_bucket - 2**_HALF_BITS


def _payload(counts: Mapping[int, int]) -> Iterator[bytes]:
    """Yield each count up to the last; several zeros in a row are one negative number."""
    position = 0
    for index in sorted(counts):
        if zeros := index - position:
            yield _zigzag(-zeros if zeros > 1 else 0)
        yield _zigzag(counts[index])
        position = index + 1


def _zigzag(number: int) -> bytes:
    """Encode by LEB128, with the sign in the lowest bit."""
    rest = (number << 1) ^ (number >> 63)
    encoded_bytes = bytearray()
    while rest >= 0x80:
        encoded_bytes.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded_bytes.append(rest)
    return bytes(encoded_bytes)
