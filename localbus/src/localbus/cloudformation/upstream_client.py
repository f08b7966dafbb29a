"""A client of the upstream: CloudFormation calls, serialised and parsed by botocore, and files from S3."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from localbus.errors import AwsError
from localbus.http import client as http_client
from localbus.http.client import Answer, NoAnswerError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

_TIMEOUT_S = 60


class UpstreamCloudFormation:
    """The upstream's CloudFormation, and S3 for templates."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Called with the resources of a stack before the upstream deploys them. Raises AwsError.
        self.before_deployment: Callable[[Mapping[str, Any], Caller], Awaitable[None]] = _nothing
        self._model = ServiceModel(Loader().load_service_model("cloudformation", "service-2"), "cloudformation")
        self._serializer: Any = create_serializer("query", include_validation=False)
        self._parser: Any = create_parser("query")

    async def call(self, operation: str, caller: Caller, **params: Any) -> Params:
        """Call an action as `caller`. Raises AwsError: the upstream's own, or InternalFailure if it does not answer."""
        model = self._model.operation_model(operation)
        request = self._serializer.serialize_to_request(params, model)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Authorization": _authorization(caller, "cloudformation"),
        }
        answer = await self._send("POST", "/", headers, urlencode(request["body"]).encode())
        document = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        parsed: Params = self._parser.parse(document, model.output_shape)
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
