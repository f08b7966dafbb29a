"""Lambda at the upstream: functions, and the event source mappings of other sources than queues."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from localbus.errors import AwsError
from localbus.http.client import NoAnswerError
from localbus.lambda_.parameters import invalid
from localbus.protocol.json_codec import write_answer
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.upstream.client import UpstreamClient

PATH = "/2015-03-31/event-source-mappings"
TAGS_PATH = "/2017-03-31/tags"
_DEFAULT_TIMEOUT_S = 3


class UpstreamLambda:
    """Requests to the upstream's Lambda API. They raise AwsError, also when it does not answer."""

    def __init__(self, calls: UpstreamClient) -> None:
        self._calls = calls

    async def function_timeout_s(self, function_arn: str) -> int:
        """Return how long the function may run. Raises InvalidParameterValueException if it does not exist."""
        self._require()
        try:
            configuration = await self._calls.function_configuration(function_arn)
        except (NoAnswerError, TimeoutError) as exc:
            raise _no_answer(exc) from exc
        if configuration is None:
            raise invalid("Function does not exist")
        return int(configuration.get("Timeout", _DEFAULT_TIMEOUT_S))

    async def mappings(self, params: Params, caller: Caller) -> list[Params]:
        """Return all of the upstream's mappings that ListEventSourceMappings selects; none without an upstream."""
        if not self._calls.is_configured:
            return []
        query: dict[str, object] = {name: params[name] for name in ("EventSourceArn", "FunctionName") if name in params}
        found: list[Params] = []
        marker = ""
        while True:
            answer = await self.request("GET", PATH, caller, query=query | ({"Marker": marker} if marker else {}))
            found += answer.get("EventSourceMappings", [])
            following = answer.get("NextMarker") or ""
            if following in {"", marker}:
                return found
            marker = following

    async def request(
        self,
        method: str,
        path: str,
        caller: Caller,
        body: Params | None = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Params:
        """Send a request with the caller's account and region, and return the answer."""
        if path.startswith((f"{PATH}/", f"{TAGS_PATH}/")) and not self._calls.is_configured:
            text = "The resource you requested does not exist."
            if path.startswith(TAGS_PATH):
                text = f"Event source mapping not found: {path.removeprefix(f'{TAGS_PATH}/')}"
            raise AwsError("ResourceNotFoundException", text)
        self._require()
        target = quote(path) + (f"?{urlencode(query, doseq=True)}" if query else "")
        arn = f"arn:aws:lambda:{caller.region}:{caller.account}:"
        try:
            return await self._calls.rest(method, target, arn, write_answer(body) if body is not None else b"")
        except (NoAnswerError, TimeoutError) as exc:
            raise _no_answer(exc) from exc

    def _require(self) -> None:
        if not self._calls.is_configured:
            text = "localbus has no Lambda functions without an upstream: start it with --upstream http://HOST:PORT"
            raise AwsError("NotImplemented", text)


def _no_answer(error: Exception) -> AwsError:
    return AwsError("ServiceException", f"The upstream did not answer: {error}")
