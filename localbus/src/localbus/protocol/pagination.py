"""Pages of long lists, for every service.

A token stands for a position: the key of the last item on the page, so that items created or deleted meanwhile do not
shift the next page. A list that is shown newest first has no key, and its token counts the items left instead.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import TypeVar

from localbus.errors import InvalidTokenError
from localbus.protocol.service_model import Params

PAGE_LENGTH = 100

Item = TypeVar("Item")


def paginate(
    items: Iterable[Item], token: str | None, *, key: Callable[[Item], str] | None = None, limit: int = PAGE_LENGTH
) -> tuple[list[Item], str | None]:
    """Return one page, in the order of the keys if there are any, and the next page's token; None after the last.

    Raises InvalidTokenError, which `Service.call` words as the service does.
    """
    ordered = sorted(items, key=key) if key else list(items)
    start = 0
    if token:
        try:
            position = base64.b64decode(token, validate=True).decode()
            start = bisect_right(ordered, position, key=key) if key else max(0, len(ordered) - int(position))
        except ValueError as exc:
            raise InvalidTokenError from exc
    page = ordered[start : start + limit]
    left = len(ordered) - start - len(page)
    if left <= 0:
        return page, None
    return page, base64.b64encode((key(page[-1]) if key else str(left)).encode()).decode()


def list_page(
    member: str,
    items: Iterable[Item],
    params: Params,
    *,
    show: Callable[[Item], object] = lambda item: item,
    key: Callable[[Item], str] | None = None,
) -> Params:
    """Return the output of a list action: a page under `member`, and a NextToken unless it is the last.

    Of the input it reads NextToken and, where the action has them, Limit and NamePrefix, the start of a key.
    """
    prefix = params.get("NamePrefix")
    wanted = [item for item in items if key(item).startswith(prefix)] if prefix and key else items
    page, token = paginate(wanted, params.get("NextToken"), key=key, limit=params.get("Limit", PAGE_LENGTH))
    return {member: [show(item) for item in page]} | ({"NextToken": token} if token else {})
