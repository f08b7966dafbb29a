"""An engine: the wiring of clock, journal, services and HTTP server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from localbus import VERSION, sts
from localbus.background_tasks import BackgroundTasks
from localbus.boundary.delivery import Deliveries
from localbus.boundary.invocations import CountedInvocations
from localbus.boundary.proxy import BoundaryProxy
from localbus.boundary.state import Boundary
from localbus.clock import Clock, ManualClock, RealClock
from localbus.cloudformation import api as cloudformation_api
from localbus.cloudformation import lifecycle
from localbus.cloudformation.state import CloudFormation
from localbus.cloudwatch import alarm_event
from localbus.cloudwatch import api as cloudwatch_api
from localbus.cloudwatch.counted_metrics import function_metrics, mapping_metrics, rule_metrics, topic_metrics
from localbus.cloudwatch.queue_metrics import QueueMetrics
from localbus.cloudwatch.state import CloudWatch
from localbus.cloudwatch.table_metrics import TableMetrics
from localbus.delivery_faults import DeliveryFaults
from localbus.developer_api.api import DeveloperApi
from localbus.dynamodb import api as dynamodb_api
from localbus.dynamodb.state import DynamoDb
from localbus.events import api as events_api
from localbus.events.state import EventBridge
from localbus.http.address import Address
from localbus.http.cors import Cors
from localbus.http.server import HttpServer
from localbus.http.tls import server_context
from localbus.journal import Journal
from localbus.lambda_ import api as lambda_api
from localbus.lambda_.state import EventSourceMappings
from localbus.losses import Losses
from localbus.protocol.api_faults import ApiFaults
from localbus.protocol.rest_json import RestJsonProtocol
from localbus.protocol.router import Router
from localbus.sns import api as sns_api
from localbus.sns.state import Sns
from localbus.sqs import api as sqs_api
from localbus.sqs.state import Sqs
from localbus.storage.after_commit import AfterCommit
from localbus.storage.durable import DurableStorage
from localbus.storage.storage import Storage
from localbus.upstream.client import UpstreamClient
from localbus.upstream.proxy import UpstreamProxy

_CLOCK = "clock"  # the kind of the record with the time of a manual clock


@dataclass(frozen=True)
class Tls:
    """An https port (0 for a free one), by the certificate in a folder."""

    folder: Path
    port: int = 0


@dataclass(frozen=True)
class Options:
    """Options of an engine.

    `upstream` is the URL of the engine for every other service. `public_url` is the address that clients and
    subscribers use, if it is not that of the Host header. `data` is the folder that keeps the state; with `fsync` each
    change is on the disk itself before it is acknowledged, which matters when the power fails.
    """

    host: str = "127.0.0.1"
    port: int = 0
    upstream: str | None = None
    enforce_policies: bool = True
    faults: DeliveryFaults | None = None
    allow_origins: tuple[str, ...] = ()
    sign_everything: bool = False
    tls: Tls | None = None
    public_url: str | None = None
    data: Path | None = None
    fsync: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The host names by which clients reach the engine."""
        public = urlsplit(self.public_url or "").hostname
        return frozenset({self.host, public} if public else {self.host})


class Engine:
    """A running engine, between `start` and `stop`."""

    def __init__(self, options: Options, clock: Clock | None = None) -> None:
        self.options = options
        self.clock = clock or RealClock()
        self.journal = Journal(with_real_time=isinstance(self.clock, ManualClock))
        self._losses = Losses()
        self.journal.on_loss = self._losses.report
        self.storage = DurableStorage(options.data, fsync=options.fsync) if options.data is not None else Storage()
        self.sqs = Sqs(
            self.clock,
            self.journal,
            self.storage,
            enforce_policies=options.enforce_policies,
            faults=options.faults,
        )
        self.upstream = upstream = UpstreamClient(options.upstream)
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
        self.dynamodb, table_metrics = DynamoDb(self.clock, self.storage), TableMetrics()
        self.cloudwatch = CloudWatch(
            self.clock,
            self.journal,
            self.storage,
            publish_to_topic=self.sns.deliver,
            publish_event=alarm_event.publisher(self.events),
            sources=[
                QueueMetrics(self.sqs),
                topic_metrics(self.sns),
                rule_metrics(self.events),
                function_metrics(upstream),
                mapping_metrics(self.mappings),
                table_metrics,
            ],
        )
        own = [sqs_api.service(self.sqs), sns_api.service(self.sns), events_api.service(self.events)]
        own += [table_metrics.counted(dynamodb_api.service(self.dynamodb)), cloudwatch_api.service(self.cloudwatch)]
        mappings = lambda_api.service(self.mappings)
        by_name = {one.name: one for one in (*own, mappings)}
        self.stacks = CloudFormation(
            self.clock, self.tasks, by_name, upstream, self.sqs.queues.free_name, storage=self.storage
        )
        services = [*own, cloudformation_api.service(self.stacks), sts.service()]
        about = {"version": VERSION, "services": [service.name for service in services], "upstream": options.upstream}
        self.faults = ApiFaults()
        self.developer_api = DeveloperApi(
            self.clock,
            self.journal,
            self.sqs,
            self.events,
            self.sns,
            self.mappings,
            self.dynamodb,
            self._losses,
            faults=self.faults,
            about=about,
        )
        rest = [RestJsonProtocol(mappings, lambda_api.OUR_PATHS)]
        self.boundary: Boundary | None = None
        if options.upstream is None or self.stacks.upstream is None:
            self.router = Router(services, self.developer_api, None, self.faults, rest)
        else:
            deliveries = Deliveries(self.clock, self.journal, self.sqs, self.sns, self.events)
            self.boundary = boundary = Boundary(deliveries, upstream, self.tasks)
            forward = CountedInvocations(UpstreamProxy(options.upstream), upstream.functions)
            proxy = BoundaryProxy(boundary, forward, upstream.account_of_key)
            self.mappings.before_upstream = boundary.prepare_mapping
            self.stacks.upstream.before_deployment = boundary.prepare_stack
            self.router = Router(
                services,
                self.developer_api,
                proxy,
                self.faults,
                rest,
                account_of_key=upstream.account_of_key,
            )
        kept = AfterCommit(self.router, self.storage) if isinstance(self.storage, DurableStorage) else self.router
        self.app = Cors(kept, options.allow_origins)
        self._server = HttpServer(Address(self.app, options.public_url) if options.public_url else self.app)
        self._tls_server = HttpServer(Address(self.app, options.public_url)) if options.tls else None
        self.https_url: str | None = None

    async def start(self) -> str:
        """Restore the stored state and start to listen. Return the URL. Raises DataFolderError and ListenError.

        The ports are known before: messages that are delivered at the start have links to them.
        """
        port = await self._server.bind(self.options.host, self.options.port)
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        url = f"http://{host}:{port}"
        self.sns.url = self.options.public_url or url
        if self._tls_server is not None and self.options.tls is not None:
            context = server_context(self.options.tls.folder, self.options.names)
            self.sns.signer.https_port = await self._tls_server.bind(self.options.host, self.options.tls.port, context)
            self.https_url = f"https://{host}:{self.sns.signer.https_port}"
        self.restore()
        for server in (self._server, self._tls_server):
            if server is not None:
                await server.listen()
        return url

    def restore(self) -> None:
        """Read the stored state, and go on with what ran. Raises DataFolderError."""
        self._restore_clock()
        self.sqs.restore()
        self.dynamodb.restore()
        self.sns.restore()
        self.events.restore()
        self.mappings.restore()
        self.cloudwatch.restore()
        self.stacks.restore()
        if self.boundary is not None:
            self.boundary.restore()
        lifecycle.resume(self.stacks)

    def _restore_clock(self) -> None:
        """Let a manual clock stand where it stood, however long the engine was down. Real time ends that."""
        stored = list(self.storage.records(_CLOCK))
        if isinstance(self.clock, ManualClock):
            clock = self.clock
            for _, _, now in stored:
                clock.restore(now)
            clock.on_advance = lambda: self.storage.save(_CLOCK, "now", clock.now)
            clock.on_advance()
        elif stored:
            self.storage.delete(_CLOCK, "now")

    async def stop(self) -> None:
        """Stop listening, cancel all background tasks, and close the storage."""
        await self._server.stop()
        if self._tls_server is not None:
            await self._tls_server.stop()
        self.events.stop()
        self.cloudwatch.stop()
        self.dynamodb.stop()
        await self.tasks.cancel_all()
        self._losses.flush()
        self.storage.close()
