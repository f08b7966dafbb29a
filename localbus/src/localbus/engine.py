"""An engine: the wiring of clock, journal, services and HTTP server."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from localbus.background_tasks import BackgroundTasks
from localbus.clock import Clock, RealClock
from localbus.cloudformation import api as cloudformation_api
from localbus.cloudformation.state import CloudFormation
from localbus.delivery_faults import DeliveryFaults
from localbus.developer_api.api import DeveloperApi
from localbus.events import api as events_api
from localbus.events.state import EventBridge
from localbus.http.cors import Cors
from localbus.http.server import HttpServer
from localbus.journal import Journal
from localbus.lambda_ import api as lambda_api
from localbus.lambda_.state import EventSourceMappings
from localbus.protocol.api_faults import ApiFaults
from localbus.protocol.rest_json import RestJsonProtocol
from localbus.protocol.router import Router
from localbus.sns import api as sns_api
from localbus.sns.state import Sns
from localbus.sqs import api as sqs_api
from localbus.sqs.state import Sqs
from localbus.upstream.client import UpstreamClient
from localbus.upstream.proxy import UpstreamProxy

VERSION = version("orderboard-localbus")


@dataclass(frozen=True)
class Options:
    """Options of an engine. `upstream` is the URL of the engine for every other service."""

    host: str = "127.0.0.1"
    port: int = 0
    upstream: str | None = None
    enforce_policies: bool = True
    faults: DeliveryFaults | None = None
    allow_origins: tuple[str, ...] = ()
    sign_everything: bool = False


class Engine:
    """A running engine, between `start` and `stop`."""

    def __init__(self, options: Options, clock: Clock | None = None) -> None:
        self.options = options
        self.clock = clock or RealClock()
        self.journal = Journal()
        self.sqs = Sqs(self.clock, self.journal, enforce_policies=options.enforce_policies, faults=options.faults)
        upstream = UpstreamClient(options.upstream)
        self.tasks = BackgroundTasks(self.clock)
        self.sns = Sns(
            self.clock,
            self.journal,
            self.sqs,
            upstream,
            self.tasks,
            enforce_policies=options.enforce_policies,
            sign_everything=options.sign_everything,
        )
        self.events = EventBridge(
            self.clock,
            self.journal,
            self.sqs,
            upstream,
            self.tasks,
            publish_to_topic=self.sns.deliver,
            enforce_policies=options.enforce_policies,
            faults=options.faults,
        )
        self.mappings = EventSourceMappings(self.clock, self.journal, self.sqs, upstream, self.tasks)
        messaging = [sqs_api.service(self.sqs), sns_api.service(self.sns), events_api.service(self.events)]
        mappings = lambda_api.service(self.mappings)
        by_name = {one.name: one for one in (*messaging, mappings)}
        self.stacks = CloudFormation(self.clock, self.tasks, by_name, upstream, self.sqs.queues.free_name)
        services = [*messaging, cloudformation_api.service(self.stacks)]
        about = {"version": VERSION, "services": [service.name for service in services], "upstream": options.upstream}
        self.faults = ApiFaults()
        developer_api = DeveloperApi(
            self.clock, self.journal, self.sqs, self.events, self.sns, faults=self.faults, about=about
        )
        proxy = UpstreamProxy(options.upstream) if options.upstream else None
        rest = [RestJsonProtocol(mappings, lambda_api.OUR_PATHS)]
        self.router = Router(services, developer_api, proxy, self.faults, rest)
        self._server = HttpServer(Cors(self.router, options.allow_origins))

    async def start(self) -> str:
        """Start to listen. Return the URL."""
        port = await self._server.start(self.options.host, self.options.port)
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        self.sns.url = f"http://{host}:{port}"
        return self.sns.url

    async def stop(self) -> None:
        """Stop listening and cancel all background tasks."""
        await self._server.stop()
        self.events.stop()
        await self.tasks.cancel_all()
