"""The start of a lease, with the real client."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, ClassVar

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ReadTimeoutError
from worker.sqs_queue import note_receives, open_queue

_URL = "http://127.0.0.1:9/000000000000/work"
_FROZEN_S = 60.0


class _Response:
    """An HTTP response of aiobotocore with one message."""

    status_code = 200
    headers: ClassVar[dict[str, str]] = {}

    @property
    def content(self) -> Awaitable[bytes]:
        """The body of the response."""
        message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "{}", "Attributes": {"ApproximateReceiveCount": "1"}}

        async def body() -> bytes:
            return json.dumps({"Messages": [message]}).encode()

        return body()


async def test_a_lease_counts_from_the_second_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The poll of a frozen worker times out, and the client sends it again: the lease begins with that attempt."""
    loop = asyncio.get_running_loop()
    clock = loop.time
    attempts: list[float] = []

    def send(**_: Any) -> _Response:
        attempts.append(loop.time())
        if len(attempts) == 1:
            monkeypatch.setattr(loop, "time", lambda: clock() + _FROZEN_S)
            raise ReadTimeoutError(endpoint_url=_URL)
        return _Response()

    config = AioConfig(retries={"mode": "standard", "total_max_attempts": 2})
    keys: Any = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    opening: Any = get_session().create_client("sqs", endpoint_url=_URL, config=config, **keys)
    async with opening as client:
        note_receives(client)
        client.meta.events.register("before-send", send)
        async with open_queue(client, "work", _URL) as work:
            (message,) = await work.receive(10, wait_s=2, visibility_timeout_s=30)

    assert len(attempts) == 2
    assert message.received_at >= attempts[1]
