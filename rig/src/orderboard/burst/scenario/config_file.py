"""burst.toml, read and written."""

import json
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from orderboard.burst.scenario.config import BurstConfig, StreamConfig
from orderboard.errors import UsageError

CONFIG_FILE: Final = "burst.toml"
_PATHS: Final = ("trace", "from")
_BURST_KEYS: Final = frozenset(field.alias or name for name, field in BurstConfig.model_fields.items())
_LOAD_KEYS: Final = frozenset(field.alias or name for name, field in StreamConfig.model_fields.items())


def read_config(path: Path) -> BurstConfig:
    """Read a file; its paths are relative to it. Raise UsageError with the key, its value and what is expected."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UsageError(f"--config {path}: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"--config {path}: expected UTF-8 text.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"--config {path}: not valid TOML: {exc}.") from exc
    streams = document.get("stream")
    for stream in streams if isinstance(streams, list) else ():
        for key in _PATHS:
            if isinstance(stream, dict) and isinstance(stream.get(key), str):
                stream[key] = path.parent / stream[key]
    try:
        return BurstConfig.model_validate(document)
    except ValidationError as exc:
        raise UsageError(f"{path}: {_problem(exc)}") from exc


def to_toml(config: BurstConfig) -> str:
    """Return the file that has this configuration: every key with a value, paths in full."""
    lines = [*_lines(config, skip="stream")]
    for stream in config.streams:
        lines += ["", "[[stream]]", *_lines(stream)]
    return "\n".join(lines) + "\n"


def _lines(config: BurstConfig | StreamConfig, *, skip: str = "") -> Iterator[str]:
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if name != skip and value not in (None, (), False) and (name, value) != ("name", ""):
            yield f"{field.alias or name} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Path):
        return _value(str(value.absolute()))
    # JSON's numbers, booleans and strings are TOML's, but for the delete character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _problem(error: ValidationError) -> str:
    """Describe the first error."""
    first = error.errors()[0]
    name, *rest = first["loc"]
    in_stream = name == "stream" and len(rest) > 1  # (stream, number, key)
    where, key = (f"stream {int(rest[0]) + 1}, ", str(rest[1])) if in_stream else ("", str(name))
    if first["type"] == "extra_forbidden":
        return f"{where}unknown key {key!r}; {_hint(key, in_stream=in_stream)}"
    value = first["input"]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    expected = "expected a table for each stream, which begins with [[stream]]" if key == "stream" else _expected(first)
    return f"{where}{key} = {text[:60]}: {expected}."


def _hint(key: str, *, in_stream: bool) -> str:
    config = StreamConfig if in_stream else BurstConfig
    known = [field.alias or name for name, field in config.model_fields.items()]
    if not in_stream and key in _LOAD_KEYS:
        return "it belongs to a [[stream]]."
    if in_stream and key in _BURST_KEYS:
        return "it is of the whole burst, and belongs above the first [[stream]]."
    close = get_close_matches(key.replace("_", "-").lower(), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}."


def _expected(error: Any) -> str:
    text: str = error["msg"]
    return text[0].lower() + text[1:]
