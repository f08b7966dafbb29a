"""A client of the upstream: CloudFormation calls, serialised and parsed by botocore, and files from S3.

botocore's code is imported with the first call: it takes 60 ms and 5 MB, which a restart need not wait for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from localbus.errors import AwsError
from localbus.http import client as http_client
from localbus.http.client import Answer, NoAnswerError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params, load_model

_TIMEOUT_S = 60


class UpstreamCloudFormation:
    """The upstream's CloudFormation, and S3 for templates."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Called with the resources of a stack before the upstream deploys them. Raises AwsError.
        self.before_deployment: Callable[[Mapping[str, Any], Caller], Awaitable[None]] = _nothing

    @cached_property
    def _botocore(self) -> tuple[Any, Any, Any]:
        """The model of the service, and what writes requests and reads answers by it."""
        from botocore.model import ServiceModel  # noqa: PLC0415
        from botocore.parsers import create_parser  # noqa: PLC0415
        from botocore.serialize import create_serializer  # noqa: PLC0415

        model = ServiceModel(load_model("cloudformation"), "cloudformation")
        return model, create_serializer("query", include_validation=False), create_parser("query")

    async def call(self, operation: str, caller: Caller, **params: Any) -> Params:
        """Call an action as `caller`. Raises AwsError: the upstream's own, or InternalFailure if it does not answer."""
        service, serializer, parser = self._botocore
        model = service.operation_model(operation)
        request = serializer.serialize_to_request(params, model)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Authorization": _authorization(caller, "cloudformation"),
        }
        answer = await self._send("POST", "/", headers, urlencode(request["body"]).encode())
        document = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        parsed: Params = parser.parse(document, model.output_shape)
        if answer.status >= 300:
            error = parsed.get("Error", {})
            raise AwsError(error.get("Code", "InternalFailure"), error.get("Message", f"HTTP {answer.status}"))
        return parsed

    async def fetch(self, target: str, caller: Caller, host: str) -> tuple[int, bytes]:
        """GET a path of S3: the status and the body. A presigned one holds its credentials and signs `host`.

        Raises AwsError if the upstream does not answer.
        """
        presigned = "X-Amz-Signature=" in target or "&Signature=" in target
        headers = {"Host": host} if presigned else {"Authorization": _authorization(caller, "s3")}
        answer = await self._send("GET", target, headers, b"")
        return answer.status, answer.body

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            return await http_client.send(method, f"{self.url}{path}", headers, body, timeout_s=_TIMEOUT_S)
        except (NoAnswerError, TimeoutError) as exc:
            raise AwsError("InternalFailure", f"The upstream {self.url} failed: {exc or 'it did not answer'}.") from exc


def _authorization(caller: Caller, service: str) -> str:
    scope = f"Credential={caller.account}/20200101/{caller.region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}"


async def _nothing(_resources: Mapping[str, Any], _caller: Caller) -> None:
    return
