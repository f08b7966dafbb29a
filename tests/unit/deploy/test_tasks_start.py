"""The services open their AWS clients with nothing but what a task gives them: its variables, and its role."""

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from order_api.aws import open_aws_clients
from order_api.settings import Settings as ApiSettings
from unit.deploy.stacks import Deployment, load
from worker.aws import worker_clients
from worker.settings import Settings as WorkerSettings

FOUND = Deployment(load())
REGION = "eu-central-1"


@pytest.fixture
def role() -> Iterator[str]:
    """Serves the credentials of a task's role, as ECS does.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    expiration = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = {"AccessKeyId": "role", "SecretAccessKey": "secret", "Token": "token", "Expiration": expiration}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def environment(role: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the environment of a service's task, and nothing else that AWS's SDK or the service reads."""

    def of(service: str) -> None:
        for name in [each for each in os.environ if each.startswith(("AWS_", "ORDERBOARD_"))]:
            monkeypatch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, "/nonexistent")
        for name, value in FOUND.environment(service).items():
            monkeypatch.setenv(name, value.replace("${AWS::Region}", REGION))
        for name in FOUND.secrets(service):
            monkeypatch.setenv(name, "from the secret")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role)

    return of


async def test_order_api_starts(environment: Any) -> None:
    """Its settings are complete, and its clients have the region and the role."""
    environment("order-api")

    async with open_aws_clients(ApiSettings(), lambda *_: None) as clients:
        regions = {client.meta.region_name for client in clients}
        sns: Any = clients.sns
        credentials = await sns._get_credentials().get_frozen_credentials()

    assert regions == {REGION}
    assert credentials.access_key == "role"


async def test_a_worker_starts(environment: Any) -> None:
    """Its settings are complete, and its clients have the region and the role."""
    environment("worker")
    settings = WorkerSettings()

    async with worker_clients(lambda *_: None, receive_wait_s=settings.receive_wait_s, connections=2) as clients:
        regions = {client.meta.region_name for client in clients}

    assert regions == {REGION}
    assert settings.drain_deadline_s > settings.receive_wait_s
