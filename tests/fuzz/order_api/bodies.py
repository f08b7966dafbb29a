"""Bodies of orders: valid ones in many spellings, and what careless and hostile clients make of them."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any, Final

from fuzz.variations import MISSING, odd, places, replaced
from orderboard_contracts.menu import MENU

CUSTOMERS: Final = (*(f"fuzz-{number}" for number in range(20)), "a", "Z9._-", "x" * 64)
_NOTES: Final = (
    *(
        "oat milk, please",
        "",
        " ",
        "👩🏽‍🚀☕️🎉",
        "مرحبا שלום",
        "<script>alert(1)</script>",
        "{{user}} ${x} %s %n",
        "null",
    ),
    *("a" * 280, "🥸" * 280, "e\u0301" * 140, '"\\/\\u0000', "'; DROP TABLE orders; --", "\u2028\u2029\ufeff\u00ad"),
    *("\U0010ffff", "\ufdd0", "\ufffd", "\u200b\u200f", "=1+1", "https://example.com/?a=b&c=d#e", "]]>", "\u00a0"),
)
_BAD_NOTES: Final[tuple[Any, ...]] = (
    *("\x00", "\x1b[2J", "\x7f", "\u0085", "\u202e", "\u2069", "\ud800", "\udfff", "\ud83d x", "\ufffe", "\uffff"),
    *("a" * 281, "🥸" * 281, "\n", "\t", 5, True, [], {}, ["x"], {"$ne": None}),
)
_NUMBERS: Final = (
    *("0", "-0", "-1", "51", "1.5", "50.0", "50.000000000000001", "5e1", "0.5e1", "1e400", "-1e400", "1e-400", "01"),
    *("+1", ".5", "5.", "0x5", "1_0", "NaN", "Infinity", "-Infinity", "9" * 400, "9" * 5000, "1." + "0" * 5000, "1E1"),
    *("2e0", "20e-1", "9007199254740993", "18446744073709551617", '"2"', "true", "null", "[2]", "{}", "\u0662", "1e"),
)
_MEMBERS: Final = (
    *('"fault": null', '"fault": "poison"', '"price_cents": 1', '"": 0', '"__proto__": {}', '"order_id": "x"'),
    *('"note": "x"', '"note": null', '"\\u006eote": "x"', '"priority": "express"', '"\\ud800": 1', '"total_cents": 1'),
)
_TOKENS: Final = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"'", b"\\", b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
    b"null", b"NaN", b"/*x*/", b"//x\n", b"\\u0000", b"\\ud800", b"\\u", b"\\x41", b"1e999", b"\xf4\x90\x80\x80",
    b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\r\n", b" ", b"\x0b", b"\xc2\xa0", b"true", b"-", b"0",
]  # fmt: skip
_WHOLE: Final = [
    b"", b" ", b"null", b"true", b"0", b'""', b"[]", b"{}", b"[[]]", b"{", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"[" * 30_000, b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 10_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b"<order/>",
    b'{"note":' + b"[" * 900 + b"]" * 900 + b"}", b'"' + b"\\" * 20_001, b'{"a":1,' * 2_000, b"9" * 60_000, b"a=b&c=d",
    b'{"lines": [' + b"{}," * 9_000 + b"{}]}", b"{" + b",".join(b'"k%d": 1' % each for each in range(4_000)) + b"}",
    b"1e" + b"9" * 9_999,
]  # fmt: skip


def order(rng: random.Random) -> dict[str, Any]:
    """Return a valid order."""
    sizes = [rng.randrange(1, 4), rng.randrange(1, 4), 1, 20]
    lines = [{"sku": rng.choice(list(MENU)), "quantity": rng.choice((1, 2, 3, 50))} for _ in range(rng.choice(sizes))]
    made: dict[str, Any] = {"customer_id": rng.choice(CUSTOMERS), "lines": lines}
    if rng.random() < 0.5:
        made["note"] = rng.choice((*_NOTES, None))
    if rng.random() < 0.4:
        made["priority"] = rng.choice(("normal", "express"))
    return made


def respelt(value: Any, rng: random.Random) -> bytes:
    """Return one of the many texts of a JSON value."""
    value = _shuffled(value, rng)
    ascii_only, indent = rng.random() < 0.5, rng.choice((None, None, 2, "\t"))
    text = json.dumps(
        value, ensure_ascii=ascii_only, indent=indent, separators=rng.choice(((",", ":"), (" , ", " : ")))
    )
    if rng.random() < 0.3:
        quantity = rng.choice(('"quantity":2,', '"quantity":2}'))
        text = text.replace(quantity, quantity.replace("2", rng.choice(("2.0", "2e0", "20e-1", "0.2E+1"))))
    if rng.random() < 0.2:
        text = text.replace("note", "\\u006eote").replace("tea", "t\\u0065a").replace("/", "\\/")
    space = rng.choice(("", "", " ", "\r\n\t "))
    return f"{space}{text}{space}".encode()


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        return {name: _shuffled(item, rng) for name, item in rng.sample(list(value.items()), len(value))}
    return [_shuffled(item, rng) for item in value] if isinstance(value, list) else value


def odd_order(rng: random.Random) -> bytes:
    """Return an order with an odd value in one place."""
    made = order(rng)
    if rng.random() < 0.3:
        made["note"] = rng.choice(_BAD_NOTES)
    else:
        place = rng.choice([each for each in places(None, made) if each.value is not MISSING])
        made = replaced(made, place.path, odd(place, rng))
    return json.dumps(made, ensure_ascii=rng.random() < 0.7).encode("utf-8", "surrogatepass")


def odd_text(body: bytes, rng: random.Random) -> bytes:
    """Return a body as a careless or hostile client would write it."""
    text = body.decode()
    kinds: list[Callable[[], bytes]] = [
        lambda: rng.choice(_WHOLE),
        lambda: body[: rng.randrange(len(body))],
        lambda: _spliced(body, rng.choice(_TOKENS), 0, rng),
        lambda: _spliced(body, rng.choice(_TOKENS), 1, rng),
        lambda: _spliced(body, b"", rng.randrange(1, 8), rng),
        lambda: _spliced(body, bytes([rng.randrange(256)]), 1, rng),
        lambda: body + rng.choice((body, b"}", b",", b"\x00", b"//", b" x", b"\n{}")),
        lambda: _at_quantity(text, rng.choice(_NUMBERS)).encode(),
        lambda: _at_quantity(text, rng.choice(_NUMBERS)).encode(),
        lambda: text.replace("{", "{" + rng.choice(_MEMBERS) + ",", 1).encode(),
        lambda: text.replace('"lines"', '"customer_id": "eve", "lines"', 1).encode(),
        lambda: text.replace('"quantity"', '"quantity": 1, "quantity"', 1).encode(),
        lambda: text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"))),
        lambda: rng.choice((gzip.compress(body, mtime=0), zlib.compress(body))),
        lambda: json.dumps(text).encode(),
        lambda: text.replace('"', "'").encode(),
        lambda: body.ljust(64 * 1024 + rng.choice((-1, 0, 1, 4096))),
        lambda: rng.randbytes(rng.randrange(1, 400)),
    ]
    return rng.choice(kinds)()


def _spliced(body: bytes, new: bytes, removed: int, rng: random.Random) -> bytes:
    at = rng.randrange(len(body))
    return body[:at] + new + body[at + removed :]


def _at_quantity(text: str, number: str) -> str:
    head, name, rest = text.partition('"quantity"')
    digits = rest.lstrip(" :").lstrip("0123456789.eE+-")
    return f"{head}{name}: {number}{digits}"
