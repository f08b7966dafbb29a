"""OpenTelemetry's variables of the user's shell: passed on to the services and to the stack's functions."""

from pathlib import Path

import pytest
from orderboard.system.deploy import Zips, _checked
from orderboard.system.services import ServiceOptions, _inherited
from orderboard_stack.backend import Endpoint

ENDPOINT, URL = "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"
EMBEDDED = Endpoint("embedded", "http://127.0.0.1:4566")


def test_the_stacks_functions_export_to_where_the_shell_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without traces the parameters keep their defaults, so the next deployment turns them off again."""
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert "OtlpEndpoint" not in _checked(EMBEDDED, Zips(Path("n.zip")), {})

    monkeypatch.setenv(ENDPOINT, URL)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
    found = _checked(EMBEDDED, Zips(Path("n.zip")), {})
    assert (found["OtlpEndpoint"], found["OtlpHeaders"]) == (URL, "api-key=secret")
    assert _checked(EMBEDDED, Zips(Path("n.zip")), {"OtlpEndpoint": "http://other"})["OtlpEndpoint"] == "http://other"


def test_a_service_inherits_the_variables_but_not_another_services_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_SERVICE_NAME of the shell would make all services one."""
    monkeypatch.setenv(ENDPOINT, URL)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "my-shell")

    inherited = _inherited(ServiceOptions(Path("logs")), local=True)

    assert inherited[ENDPOINT] == URL
    assert "OTEL_SERVICE_NAME" not in inherited
