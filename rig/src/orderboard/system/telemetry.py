"""OpenTelemetry's variables in the user's shell: whether they ask for traces of what is started, or for metrics."""

import os

from orderboard_contracts.otlp_settings import OtlpError, Signal, requested

from orderboard.errors import UsageError


def asked_for(signal: Signal) -> bool:
    """Return whether the shell asks for a signal; raise UsageError for a value that is not supported."""
    try:
        return requested(os.environ, signal)
    except OtlpError as exc:
        raise UsageError(f"{exc}.") from exc
