"""Lambda's event source mappings as a service: all there are, their pollers, and what is asked of the upstream.

Functions live at the upstream; only the mappings of queues live here. An execution role is not asked whether it may
receive: the upstream has no such check.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from urllib.parse import quote, urlencode

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock
from localbus.errors import AwsError
from localbus.http.client import NoAnswerError
from localbus.journal import Journal
from localbus.lambda_ import actions
from localbus.lambda_.mapping import EventSourceMapping, Settings
from localbus.lambda_.parameters import invalid
from localbus.lambda_.poller import Poller
from localbus.protocol.json_codec import write_answer
from localbus.protocol.service import Caller, Service
from localbus.protocol.service_model import Api, Params
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamCalls

ACTIONS: dict[str, Callable[[EventSourceMappings, Params, Caller], Awaitable[Params]]] = {
    "CreateEventSourceMapping": actions.create,
    "DeleteEventSourceMapping": actions.delete,
    "GetEventSourceMapping": actions.get,
    "ListEventSourceMappings": actions.list_,
    "ListTags": actions.list_tags,
    "TagResource": actions.tag_resource,
    "UntagResource": actions.untag_resource,
    "UpdateEventSourceMapping": actions.update,
}

# The paths of Lambda's API that are answered here; every other one goes upstream as it comes.
OUR_PATHS = re.compile(
    rf"{actions.PATH}(?:/[^/]*)?/?|{actions.TAGS_PATH}/arn:aws[a-z-]*:lambda:[^/]*:event-source-mapping:[^/]+"
)


class EventSourceMappings:
    """The mappings of every account and region."""

    def __init__(
        self, clock: Clock, journal: Journal, sqs: Sqs, upstream: UpstreamCalls, tasks: BackgroundTasks
    ) -> None:
        self.clock = clock
        self.sqs = sqs
        self._journal = journal
        self._upstream = upstream
        self._tasks = tasks
        self._mappings: dict[str, EventSourceMapping] = {}
        self._pollers: dict[str, Poller] = {}
        sqs.queues.on_create = self._queue_created

    def __iter__(self) -> Iterator[EventSourceMapping]:
        return iter(list(self._mappings.values()))

    def service(self) -> Service:
        """Lambda, as far as it is ours, for the router and for whoever does an action in process."""
        return Service(Api("lambda"), {name: partial(action, self) for name, action in ACTIONS.items()}, None)

    # Finding

    def find(self, uuid: str, caller: Caller) -> EventSourceMapping | None:
        """The caller's mapping of that id."""
        mapping = self._mappings.get(uuid)
        if mapping is None or (mapping.account, mapping.region) != (caller.account, caller.region):
            return None
        return mapping

    def find_by_arn(self, arn: str, caller: Caller) -> EventSourceMapping | None:
        """The caller's mapping of that ARN."""
        mapping = self.find(arn.rpartition(":")[2], caller)
        return mapping if mapping is not None and mapping.arn == arn else None

    # Changing

    def add(self, mapping: EventSourceMapping, *, enabled: bool) -> None:
        """Take in a new mapping, and let it begin."""
        self._mappings[mapping.uuid] = mapping
        self._pollers[mapping.uuid] = Poller(mapping, self._journal, self.sqs, self._upstream, self._tasks)
        if enabled:
            self._arrive(mapping, enabled=True)
        else:
            mapping.state = "Disabled"

    async def change(
        self, mapping: EventSourceMapping, settings: Settings, function_arn: str, *, enabled: bool
    ) -> None:
        """Let the mapping go by these settings from the next batch on."""
        was_enabled = mapping.state == "Enabled"
        mapping.state = ("Updating" if was_enabled else "Enabling") if enabled else "Disabling"
        mapping.modified_at = self.clock.now()
        try:
            await self._pollers[mapping.uuid].stop()
        finally:  # also when whoever asked has gone meanwhile
            mapping.settings, mapping.function_arn = settings, function_arn
            self._arrive(mapping, enabled=enabled)

    async def remove(self, mapping: EventSourceMapping) -> None:
        """Forget the mapping; invocations that are under way come to their end."""
        mapping.state = "Deleting"
        mapping.modified_at = self.clock.now()
        poller = self._pollers.pop(mapping.uuid)
        try:
            await poller.stop()
        finally:
            del self._mappings[mapping.uuid]

    def _arrive(self, mapping: EventSourceMapping, *, enabled: bool) -> None:
        """End the transition, once whoever asked for it has been answered."""
        poller = self._pollers[mapping.uuid]

        def arrive() -> None:
            if mapping.uuid in self._mappings and mapping.is_in_transition:
                mapping.state = "Enabled" if enabled else "Disabled"
                if enabled:
                    poller.start()

        asyncio.get_running_loop().call_soon(arrive)

    def _queue_created(self, arn: str) -> None:
        """A queue that was deleted, and is there again, is received from as before."""
        for mapping in self:
            if mapping.queue_arn == arn:
                self._pollers[mapping.uuid].wake()

    # Asking the upstream

    async def function_timeout_s(self, function_arn: str) -> int:
        """How long the function may run. Raises InvalidParameterValueException when there is none."""
        self._need_upstream()
        try:
            configuration = await self._upstream.function_configuration(function_arn)
        except (NoAnswerError, TimeoutError) as exc:
            raise AwsError("ServiceException", f"The upstream did not answer: {exc}") from exc
        if configuration is None:
            raise invalid("Function does not exist")
        return int(configuration.get("Timeout", 3))

    async def upstream_list(self, params: Params, caller: Caller) -> list[Params]:
        """All of the upstream's mappings that are asked for; none without an upstream."""
        if not self._upstream.is_there:
            return []
        names = ("EventSourceArn", "FunctionName")
        query: dict[str, object] = {name: params[name] for name in names if name in params}
        found: list[Params] = []
        marker = ""
        while True:
            more = {"Marker": marker} if marker else {}
            answer = await self.upstream("GET", actions.PATH, caller, query=query | more)
            found += answer.get("EventSourceMappings", [])
            following = answer.get("NextMarker") or ""
            if following in {"", marker}:
                return found
            marker = following

    async def upstream(
        self,
        method: str,
        path: str,
        caller: Caller,
        body: Params | None = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Params:
        """Have the upstream answer, as it would have answered the caller. Raises its error as ours."""
        if path.startswith((f"{actions.PATH}/", f"{actions.TAGS_PATH}/")) and not self._upstream.is_there:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.")
        self._need_upstream()
        target = quote(path) + (f"?{urlencode(query, doseq=True)}" if query else "")
        arn = f"arn:aws:lambda:{caller.region}:{caller.account}:"
        try:
            return await self._upstream.rest(method, target, arn, write_answer(body) if body is not None else b"")
        except (NoAnswerError, TimeoutError) as exc:
            raise AwsError("ServiceException", f"The upstream did not answer: {exc}") from exc

    def _need_upstream(self) -> None:
        if not self._upstream.is_there:
            text = "There are no functions: localbus was started with no --upstream."
            raise AwsError("NotImplemented", text)
