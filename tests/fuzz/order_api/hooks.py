"""Loaded by schemathesis, not by pytest: a valid Idempotency-Key is made a new one for every request.

A key stands for one order for ever, so one key with many bodies would mostly find that its other orders are refused.
"""

import re
import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_: Any, case: Any, **__: Any) -> None:
    """Change what is about to be sent."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
