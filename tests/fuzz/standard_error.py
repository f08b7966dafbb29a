"""Text that the engine writes to standard error while a fuzzer runs: errors of the log, Python's warnings, tracebacks.

Warnings of the log are for the user, such as that a message was not delivered.
"""

from __future__ import annotations

import contextlib
import io
import logging
from types import TracebackType


class StandardError:
    """A context in which standard error and the log are caught."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._handler = logging.StreamHandler(self._text)
        self._redirect = contextlib.redirect_stderr(self._text)

    def __enter__(self) -> StandardError:
        self._handler.setLevel(logging.ERROR)
        logging.getLogger().addHandler(self._handler)
        self._redirect.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._redirect.__exit__(kind, error, trace)
        logging.getLogger().removeHandler(self._handler)

    def taken(self) -> str | None:
        """Return what came since the last call; None if nothing did."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return f"on standard error: {text[-1500:]}" if text else None
