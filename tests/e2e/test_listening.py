"""Nothing listens beyond loopback: not at the start, not when a service is used first, not under load (test_demo)."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from e2e.command import Command
from e2e.sockets import beyond_loopback
from orderboard_stack.clients import CLIENT_CONFIG

# Services of MiniStack with a server each, and a call that would start it.
_SERVERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("iot", "create_thing", {"thingName": "scale"}),
    ("iot", "create_keys_and_certificate", {"setAsActive": True}),
    ("transfer", "create_server", {}),
    ("dsql", "create_cluster", {}),
    (
        "rds",
        "create_db_instance",
        {
            "DBInstanceIdentifier": "orders",
            "DBInstanceClass": "db.t3.micro",
            "Engine": "postgres",
            "MasterUsername": "ada",
            "MasterUserPassword": "any-password",
            "AllocatedStorage": 20,
        },
    ),
    (
        "elasticache",
        "create_cache_cluster",
        {"CacheClusterId": "c", "Engine": "redis", "CacheNodeType": "cache.t3.micro"},
    ),
)


def _with_children(pids: Iterable[int]) -> list[psutil.Process]:
    roots = [psutil.Process(pid) for pid in pids]
    return [*roots, *(child for root in roots for child in root.children(recursive=True))]


@pytest.fixture
def processes(system: dict[str, Any]) -> Callable[[], list[psutil.Process]]:
    """All processes of the system at this moment."""
    return lambda: _with_children(each["pid"] for each in system["processes"])


def test_the_test_sees_sockets(processes: Callable[[], list[psutil.Process]]) -> None:
    """The backend, the API and the console listen, and a socket on every interface is found."""
    listening = [
        each for process in processes() for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4

    with socket.create_server(("", 0)) as server:
        ports = [port for _, _, port in beyond_loopback([psutil.Process()])]

        assert server.getsockname()[1] in ports


def test_a_system_that_runs(
    orderboard: Command, system: dict[str, Any], processes: Callable[[], list[psutil.Process]]
) -> None:
    """`up` with its console opens loopback only, also after orders and the first use of services with servers."""
    assert beyond_loopback(processes()) == []

    order = '{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 1}], "idempotency_key": "k1"}'
    assert orderboard.run("place", stdin=order).returncode == 0
    make: Any = boto3.client
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    for service, action, given in _SERVERS:
        client = make(service, endpoint_url=system["endpoint_url"], config=CLIENT_CONFIG, **keys)
        with contextlib.suppress(ClientError, BotoCoreError):
            getattr(client, action)(**given)

    assert beyond_loopback(processes()) == []


def test_localbus_alone() -> None:
    """`python -m localbus` listens on loopback without options."""
    with subprocess.Popen(
        [sys.executable, "-m", "localbus", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert "127.0.0.1" in process.stdout.readline()
            assert beyond_loopback([psutil.Process(process.pid)]) == []
        finally:
            process.kill()
