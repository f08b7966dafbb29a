"""OpenTelemetry's own variables, as far as they decide whether a signal is exported by OTLP.

The SDK reads the rest of them: headers, timeouts, limits, the size of its queue. Traces are off unless a variable asks
for them, and a value that the SDK would replace by its default is an error here.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

Signal = Literal["traces", "metrics"]

DEFAULT_ENDPOINT: Final = "http://localhost:4318"
_RATIOS: Final = ("traceidratio", "parentbased_traceidratio")
_SAMPLERS: Final = ("always_on", "always_off", "parentbased_always_on", "parentbased_always_off", *_RATIOS)


class OtlpError(ValueError):
    """A variable of OpenTelemetry has a value that these services cannot follow; the message says which and the fix."""


def requested(environ: Mapping[str, str], signal: Signal) -> bool:
    """Return whether these variables ask for a signal; raise OtlpError for values that are not supported."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip().lower()
    endpoint = _set(environ, signal, "ENDPOINT")
    if exporter == "none" or not (exporter or endpoint):
        return False
    if exporter not in ("", "otlp"):
        raise OtlpError(f"OTEL_{signal.upper()}_EXPORTER is {exporter!r}; set it to otlp, or to none for no {signal}")
    if endpoint is not None and not _is_url(environ[endpoint]):
        raise OtlpError(f"{endpoint} is {environ[endpoint]!r}; give the URL of a collector, like {DEFAULT_ENDPOINT}")
    protocol = _set(environ, signal, "PROTOCOL")
    if protocol is not None and environ[protocol].strip().lower() != "http/protobuf":
        raise OtlpError(
            f"{protocol} is {environ[protocol]!r}; only http/protobuf is supported, usually on port 4318: set it so"
        )
    if signal == "traces":
        _check_sampler(environ)
    return True


def endpoint_of(environ: Mapping[str, str], signal: Signal) -> str:
    """Return the endpoint of a signal without its path, as OTEL_EXPORTER_OTLP_ENDPOINT has it."""
    name = _set(environ, signal, "ENDPOINT")
    return DEFAULT_ENDPOINT if name is None else environ[name].strip().removesuffix(f"/v1/{signal}")


def _set(environ: Mapping[str, str], signal: Signal, setting: str) -> str | None:
    """Return the name of the variable that decides: the signal's, or that of all signals."""
    names = (f"OTEL_EXPORTER_OTLP_{signal.upper()}_{setting}", f"OTEL_EXPORTER_OTLP_{setting}")
    return next((name for name in names if environ.get(name)), None)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text.strip())
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_sampler(environ: Mapping[str, str]) -> None:
    """Reject what OpenTelemetry would replace, with a warning, by sampling everything."""
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if sampler and sampler not in _SAMPLERS:
        raise OtlpError(f"OTEL_TRACES_SAMPLER is {sampler!r}; choose from {', '.join(_SAMPLERS)}")
    if sampler in _RATIOS and (ratio := environ.get("OTEL_TRACES_SAMPLER_ARG", "")):
        try:
            valid = 0 <= float(ratio) <= 1
        except ValueError:
            valid = False
        if not valid:
            raise OtlpError(f"OTEL_TRACES_SAMPLER_ARG is {ratio!r}; give the share of traces to keep, from 0 to 1")
