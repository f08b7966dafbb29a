"""Access: the token, and the addresses on which the API may listen."""

import os
import subprocess
import sys
from typing import Any

import pytest
from order_api.settings import Settings, is_loopback
from pydantic import ValidationError
from unit.order_api.fakes import ORDER, SETTINGS, assert_problem, running_api

TOKEN = "correct horse battery stäple".replace(" ", "-")
ORDER_ID = "1c0e2b8e-6d6f-5a53-9d3e-4f0c8f6a4b11"


def settings(**values: Any) -> Settings:
    """The settings with these values."""
    return Settings(**{**SETTINGS, **values})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    """Only this machine can reach these addresses."""
    assert is_loopback(host)
    assert settings(api_host=host).api_host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "order-api.local", "127.0.0.1.example.com"])  # noqa: S104
def test_another_address_needs_a_token_or_explicit_consent(host: str) -> None:
    """Without either the settings are invalid, and the message names both options."""
    with pytest.raises(ValidationError, match=r"ORDERBOARD_API_TOKEN.*ORDERBOARD_ALLOW_ANONYMOUS=true"):
        settings(api_host=host)

    assert settings(api_host=host, api_token=TOKEN).api_host == host
    assert settings(api_host=host, allow_anonymous=True).api_host == host


def test_an_empty_token_is_not_a_token() -> None:
    """An empty variable, as compose files set it, does not allow access."""
    with pytest.raises(ValidationError):
        settings(api_host="0.0.0.0", api_token="")  # noqa: S104


def test_the_token_is_not_shown() -> None:
    """Settings that are logged do not reveal it."""
    assert TOKEN not in repr(settings(api_token=TOKEN))


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"ORDERBOARD_API_HOST": "0.0.0.0"}, "ORDERBOARD_API_TOKEN"),  # noqa: S104
        ({"ORDERBOARD_BUS_NAME": ""}, "ORDERBOARD_BUS_NAME"),
        ({"ORDERBOARD_API_PORT": "99999"}, "ORDERBOARD_API_PORT"),
    ],
)
def test_invalid_settings_end_the_start(environment: dict[str, str], variable: str) -> None:
    """Exit 2 and one line that names the variable; no traceback."""
    ours = {f"ORDERBOARD_{name.upper()}": value for name, value in SETTINGS.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDERBOARD_")}

    ended = subprocess.run(
        [sys.executable, "-m", "order_api"],
        env={**inherited, **ours, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("order-api cannot start: ")
    assert variable in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} {TOKEN}",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/orders"),
        ("GET", "/orders?customer_id=ada"),
        ("GET", f"/orders/{ORDER_ID}"),
        ("POST", f"/orders/{ORDER_ID}/cancellation"),
        ("GET", "/menu"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("GET", "//healthz"),
        ("GET", "/healthz/"),
    ],
)
async def test_access_requires_the_token(method: str, path: str, credentials: str | None) -> None:
    """401, and nothing is published or read."""
    async with running_api(api_token=TOKEN) as api:
        headers = [] if credentials is None else [(b"Authorization", credentials.encode())]

        response = await api.http.request(method, f"http://order-api{path}", headers=headers)

        assert_problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert api.sns.calls == []


async def test_with_the_token_everything_works() -> None:
    """The name of the scheme is not case-sensitive."""
    async with running_api(api_token=TOKEN) as api:
        for scheme in ("Bearer", "bearer"):
            headers = [(b"Authorization", f"{scheme} {TOKEN}".encode())]
            assert (await api.http.post("/orders", json=ORDER, headers=headers)).status_code == 202


async def test_two_authorization_headers_are_rejected() -> None:
    """An ambiguous request is rejected, whichever header comes first."""
    async with running_api(api_token=TOKEN) as api:
        headers = [(b"Authorization", f"Bearer {TOKEN}".encode()), (b"Authorization", b"Bearer other")]
        assert (await api.http.get("/menu", headers=headers)).status_code == 401


async def test_probes_and_the_description_need_no_token() -> None:
    """A container's probe has no token, and the API's description is public."""
    async with running_api(api_token=TOKEN) as api:
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
            assert (await api.http.get(path)).status_code == 200


async def test_every_response_has_security_headers() -> None:
    """No response, error or not, is sniffed, framed or cached, and each has a correlation id."""
    async with running_api(api_token=TOKEN) as api:
        for path in ("/healthz", "/nowhere", "/docs"):
            headers = (await api.http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"
            assert headers["x-correlation-id"]
