"""Only a page itself can use its actions."""

from collections.abc import AsyncIterator

import httpx
import pytest
from orderboard.web.security import SameOriginOnly
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

HERE = "http://127.0.0.1:8080"


async def _done(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client in place of a browser."""
    transport = httpx.ASGITransport(app=SameOriginOnly(_done))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as http:
        yield http


async def test_the_page_itself_may_act(client: httpx.AsyncClient) -> None:
    """An action with the console's own Origin is executed."""
    answer = await client.post("/api/do/purge", json={}, headers={"Origin": HERE})

    assert answer.text == "done"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://127.0.0.1:8080.example.com"},
        {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
        {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
        {"Origin": HERE, "Content-Type": "text/plain"},
        {"Origin": HERE, "Content-Length": "9999999"},
        {"Origin": "http://example.com", "Host": "example.com"},
        {"Origin": "http://[bad", "Host": "[bad"},
        {"Origin": "http://evil@127.0.0.1", "Host": "evil@127.0.0.1"},
    ],
)
async def test_another_page_may_not(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """An action from another origin, or in a form that a plain HTML form could send, is rejected."""
    answer = await client.post("/api/do/purge", content="{}", headers={"Content-Type": "application/json", **headers})

    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_elsewhere_leads_to_the_page(client: httpx.AsyncClient, site: str) -> None:
    """A link may lead here, as in a chat. Another site can neither read nor frame the page, nor send an action so."""
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    assert (await client.get("/", headers=link)).text == "done"
    assert (await client.get("/", headers={**link, "Sec-Fetch-Dest": "iframe"})).status_code == 403
    assert (await client.get("/", headers={**link, "Sec-Fetch-Mode": "no-cors"})).status_code == 403
    assert (await client.get("/", headers={**link, "Host": "attacker.example"})).status_code == 403
    assert (await client.post("/", json={}, headers={**link, "Origin": HERE})).status_code == 403


async def test_a_container_that_forwards_the_port_may_act(client: httpx.AsyncClient) -> None:
    """GitHub Codespaces forwards to localhost, and writes Host and Origin so."""
    here = "http://localhost:8080"

    answer = await client.post("/", json={}, headers={"Host": "localhost:8080", "Origin": here})

    assert answer.text == "done"


async def test_dns_rebinding_reads_nothing(client: httpx.AsyncClient) -> None:
    """Requests to a foreign name that resolves to 127.0.0.1 are rejected, reads included."""
    answer = await client.get("/api/events", headers={"Host": "attacker.example:8080"})

    assert answer.status_code == 403


async def test_every_answer_has_the_policy(client: httpx.AsyncClient) -> None:
    """The policy allows resources of the console only and no inline scripts; rejections have it too."""
    for answer in (await client.get("/"), await client.post("/")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
