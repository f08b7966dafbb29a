"""Pages of what CloudFormation lists. The token says how many have been shown."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from localbus.errors import AwsError
from localbus.protocol.service_model import Params

PAGE_LENGTH = 100

Item = TypeVar("Item")


def page(member: str, items: Sequence[Item], params: Params, show: Callable[[Item], Any]) -> Params:
    """One page, and the token of the next. The token counts from the end, so that what is new moves nothing."""
    rest = _read(params["NextToken"]) if params.get("NextToken") else len(items)
    first = max(0, len(items) - rest)
    shown = [show(item) for item in items[first : first + PAGE_LENGTH]]
    left = len(items) - first - len(shown)
    return {member: shown} | ({"NextToken": base64.b64encode(str(left).encode()).decode()} if left > 0 else {})


def _read(token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise AwsError("ValidationError", "The next token is not one that was given out.") from exc
