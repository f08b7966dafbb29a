"""Lists of EventBridge in pages: a token says after which name the next page starts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from localbus.errors import AwsError
from localbus.protocol.service_model import Params

MOST_A_PAGE = 100

Item = TypeVar("Item")


def page(
    member: str,
    items: Sequence[Item],
    params: Params,
    *,
    name: Callable[[Item], str],
    show: Callable[[Item], object],
    prefix: str = "NamePrefix",
) -> Params:
    """The page that is asked for of items in the order of their names, by the prefix that is asked for."""
    after = _read(params["NextToken"]) if "NextToken" in params else None
    wanted = [one for one in items if name(one).startswith(params.get(prefix, ""))]
    left = [one for one in wanted if after is None or name(one) > after]
    shown = left[: params.get("Limit", MOST_A_PAGE)]
    result: Params = {member: [show(one) for one in shown]}
    if len(left) > len(shown):
        result["NextToken"] = base64.b64encode(name(shown[-1]).encode()).decode()
    return result


def _read(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise AwsError("ValidationException", "Parameter NextToken is not valid.") from exc
