"""Backends as values, and finding out which one answers at an address."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from orderboard_stack.aws import NoAccountError, account
from orderboard_stack.backend import CAPABILITIES, BackendUnreachableError, Endpoint, detect

Serve = Callable[[dict[str, Any]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves JSON documents by path on a free port of the loopback; anything else is a 404."""
    servers: list[ThreadingHTTPServer] = []

    def start(documents: dict[str, Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path in documents
                self.send_response(200 if found else 404)
                self.end_headers()
                self.wfile.write(json.dumps(documents.get(self.path, "nothing")).encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


HEALTH = {"services": {"sqs": "available"}}


def test_localbus_is_detected(serve: Serve) -> None:
    """It passes on what its upstream answers; its own health counts."""
    own = {"services": ["sqs"], "upstream": "http://127.0.0.1:1"}
    url = serve({"/_localbus/health": own, "/_ministack/health": HEALTH, "/_localstack/health": HEALTH})

    assert detect(url) == Endpoint("embedded", url)


def test_localbus_alone_is_no_backend(serve: Serve) -> None:
    """Without an upstream there is nothing to deploy tables and functions to, and that is said."""
    url = serve({"/_localbus/health": {"services": ["sqs"], "upstream": None}})

    with pytest.raises(BackendUnreachableError, match="--upstream"):
        detect(url)


def test_ministack_is_detected(serve: Serve) -> None:
    """MiniStack also answers LocalStack's path; its own counts."""
    url = serve({"/_ministack/health": HEALTH, "/_localstack/health": HEALTH})

    assert detect(url, "eu-central-1") == Endpoint("ministack", url, "eu-central-1")


def test_localstack_is_detected(serve: Serve) -> None:
    """By its health document."""
    url = serve({"/_localstack/health": HEALTH})

    assert detect(url) == Endpoint("localstack", url)


def test_what_is_no_backend_is_refused(serve: Serve) -> None:
    """Neither another web server nor a closed port is mistaken for one."""
    web_server = serve({"/_localstack/health": "hello"})

    for url in (web_server, "http://127.0.0.1:1"):
        with pytest.raises(BackendUnreachableError, match=url):
            detect(url)


@pytest.mark.parametrize("url", [None, "https://sqs.eu-central-1.amazonaws.com"])
def test_aws_is_not_asked(url: str | None) -> None:
    """AWS's own addresses need no probe."""
    assert detect(url).name == "aws"


def test_a_local_backend_gets_credentials_that_mean_nothing() -> None:
    """A user's own credentials never go to a local endpoint."""
    endpoint = Endpoint("embedded", "http://127.0.0.1:4566")

    assert endpoint.environment() == {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def test_aws_gets_no_credentials_from_us() -> None:
    """The usual ones are found by the SDK itself."""
    assert Endpoint("aws", None, "eu-west-1").environment() == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_an_account_without_credentials_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing credentials are an error with its fix, and AWS is not called."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")

    with pytest.raises(NoAccountError, match="AWS_PROFILE"):
        account()


def test_the_region_of_an_account_is_the_one_that_aws_region_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore reads AWS_DEFAULT_REGION only; the AWS CLI and other SDKs prefer AWS_REGION."""
    session: Any = SimpleNamespace(
        region_name="us-west-2",
        client=lambda *_, **__: SimpleNamespace(get_caller_identity=lambda: {"Account": "123456789012", "Arn": "arn"}),
    )
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert account(session).endpoint.region == "us-west-2"

    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert account(session).endpoint.region == "eu-west-1"


def test_expired_credentials_have_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause decides what the error says."""

    def fail() -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "GetCallerIdentity")

    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session: Any = SimpleNamespace(
        region_name="us-west-2", client=lambda *_, **__: SimpleNamespace(get_caller_identity=fail)
    )

    with pytest.raises(NoAccountError, match=r"have expired\. Log in again: aws sso login"):
        account(session)


def test_an_endpoint_that_is_not_aws_is_not_taken_for_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that leads to a local backend must leave it before it uses AWS; nothing is called."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with pytest.raises(NoAccountError, match=r"http://127\.0\.0\.1:1, which is not AWS\. Unset it"):
        account()


def test_a_backend_names_its_gaps_and_aws_has_none() -> None:
    """Every missing capability that matters to a user is named in words that a user understands."""
    assert "no replay of the archive" in CAPABILITIES["localstack"].gaps()
    assert "a rule drops what it cannot deliver" in CAPABILITIES["ministack"].gaps()
    assert CAPABILITIES["embedded"].gaps() == ()
    assert CAPABILITIES["aws"].gaps() == ()


def test_an_address_without_an_answer_is_named(serve: Serve) -> None:
    """localbus may answer while MiniStack behind it is frozen: its address is returned soon."""
    answers = serve({"/_localbus/health": HEALTH})
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # connections are made, and nobody answers
        upstream_url = f"http://127.0.0.1:{frozen.getsockname()[1]}"

        unanswered = Endpoint("embedded", answers, upstream_url=upstream_url).unanswered(within_s=0.1)

    assert unanswered == upstream_url
    assert Endpoint("embedded", answers).unanswered(within_s=5) is None
    assert Endpoint("aws", None).unanswered(within_s=0.1) is None
