"""Lean clients: the same endpoints, signatures and operations as with all of botocore's data."""

import subprocess
import sys
from collections.abc import Awaitable, Iterator
from typing import Any, ClassVar

import pytest
from botocore.loaders import Loader, create_loader
from botocore.regions import EndpointResolver
from orderboard_aws_client.lean import AioConfig, LeanFiles, get_session

SERVICES = ("sqs", "sns", "events", "dynamodb")
# Protocols that a user may force, an old name of a certificate, and FIPS and dual stack, which the rule sets have.
UNUSED = dict.fromkeys(("protocols", "sslCommonName", "variants"))


def lean_loader() -> Loader:
    """botocore's loader as the services use it."""
    loader = create_loader()
    loader.file_loader = LeanFiles()
    return loader


def regions() -> Iterator[str]:
    """Every region of every partition, and one that botocore does not know yet."""
    for partition in create_loader().load_data("endpoints")["partitions"]:
        yield from partition["regions"]
    yield "eu-future-9"


@pytest.mark.parametrize("service", SERVICES)
def test_every_region_has_the_same_endpoint(service: str) -> None:
    """Host, partition and signature of a region, as botocore's own endpoints.json has them."""
    full, lean = (EndpointResolver(loader.load_data("endpoints")) for loader in (create_loader(), lean_loader()))

    for region in regions():
        expected, found = (dict(resolver.construct_endpoint(service, region) or {}) for resolver in (full, lean))
        assert expected | UNUSED == found | UNUSED
        assert found["hostname"]


class _NoContent:
    """An empty HTTP response of aiobotocore."""

    status_code = 200
    headers: ClassVar[dict[str, str]] = {}

    @property
    def content(self) -> Awaitable[bytes]:
        """The body of the response."""

        async def body() -> bytes:
            return b"{}"

        return body()


async def _request(service: str, operation: str, options: dict[str, Any], *, lean: bool) -> tuple[str, str]:
    """Return the URL and the credential scope of a request."""
    sent: list[Any] = []

    def send(request: Any, **_: Any) -> _NoContent:
        sent.append(request)
        return _NoContent()

    session: Any = get_session()
    if lean:
        session.get_component("data_loader").file_loader = LeanFiles()
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    async with session.create_client(service, config=AioConfig(**options), **keys) as client:
        client.meta.events.register("before-send", send)
        await getattr(client, operation)()
    return sent[0].url, str(sent[0].headers["Authorization"]).split(",")[0].split("/", 2)[2]


@pytest.mark.parametrize(
    ("service", "operation"), [("sqs", "list_queues"), ("events", "list_rules"), ("dynamodb", "list_tables")]
)
@pytest.mark.parametrize("options", [{}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}])
async def test_a_request_goes_to_the_same_address(
    monkeypatch: pytest.MonkeyPatch, service: str, operation: str, options: dict[str, Any]
) -> None:
    """Also with FIPS or dual-stack endpoints, which rule sets resolve."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    lean, full = [await _request(service, operation, options, lean=each) for each in (True, False)]

    assert lean == full


def _without_documentation(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            name: _without_documentation(value)
            for name, value in data.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(each) for each in data] if isinstance(data, list) else data


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_model_is_complete_but_for_its_documentation(service: str) -> None:
    """Every operation and shape stays."""
    full, lean = (loader.load_service_model(service, "service-2") for loader in (create_loader(), lean_loader()))

    assert lean == _without_documentation(full)
    assert full != lean


def test_httpx_is_not_imported_and_stays_importable() -> None:
    """aiobotocore imports it if it can; a service has no use for it, and the rest of its process may."""
    code = """
import sys
import orderboard_aws_client.clients
assert "httpx" not in sys.modules and "httpx2" not in sys.modules
import httpx
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
