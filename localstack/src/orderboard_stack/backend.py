"""Backends as values: address, credentials and capabilities. They are started elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from orderboard_stack.process import read_json

if TYPE_CHECKING:
    import boto3

BackendName = Literal["embedded", "ministack", "localstack", "aws"]

DEFAULT_BACKEND: Final[BackendName] = "embedded"
DEFAULT_REGION: Final = "us-east-1"
# The health pages, in the order in which to try them: each backend also answers those that come after its own.
HEALTH_PATHS: Final[Mapping[BackendName, str]] = {
    "embedded": "/_localbus/health",
    "ministack": "/_ministack/health",
    "localstack": "/_localstack/health",
}


@dataclass(frozen=True)
class Capabilities:
    """The capabilities of a backend. A caller that needs a missing one reports that to its user.

    archive_in_template: CloudFormation makes AWS::Events::Archive; otherwise deploy makes the archive by API.
    updates_in_place: a stack update takes effect; otherwise deploy deletes the stack and creates it again.
    deletes_failed: a stack that failed half-way can be deleted; otherwise the backend must be restarted.
    confirms_webhooks: CloudFormation asks a webhook to confirm; otherwise deploy asks by API.
    dashboard: CloudFormation makes dashboards. metric_math: its alarms may have expressions.
    message_move_task: StartMessageMoveTask redrives a dead-letter queue.
    topic_dead_letters, rule_dead_letters: undeliverable messages of a topic, or a rule, are kept.
    replay: StartReplay sends archived events again. host_lambda: functions run on this machine's own Python.

    tests/integration/stack/test_capabilities.py checks each of them on each backend.
    """

    archive_in_template: bool = True
    updates_in_place: bool = True
    deletes_failed: bool = True
    confirms_webhooks: bool = True
    dashboard: bool = True
    metric_math: bool = True
    message_move_task: bool = True
    topic_dead_letters: bool = True
    rule_dead_letters: bool = True
    replay: bool = True
    host_lambda: bool = False

    def gaps(self) -> tuple[str, ...]:
        """The missing capabilities, each in a few words for the user."""
        return tuple(words for name, words in _GAPS.items() if not getattr(self, name))


_GAPS: Final = {
    "updates_in_place": "a changed stack is deleted and created again",
    "dashboard": "no CloudWatch dashboard",
    "metric_math": "no alarm for a work queue without a worker",
    "message_move_task": "no StartMessageMoveTask: redrive receives, sends and deletes",
    "topic_dead_letters": "a topic drops what it cannot deliver",
    "rule_dead_letters": "a rule drops what it cannot deliver",
    "replay": "no replay of the archive",
}


CAPABILITIES: Final[dict[BackendName, Capabilities]] = {
    "embedded": Capabilities(host_lambda=True),
    "ministack": Capabilities(
        archive_in_template=False,
        confirms_webhooks=False,
        metric_math=False,
        message_move_task=False,
        topic_dead_letters=False,
        rule_dead_letters=False,
        host_lambda=True,
    ),
    "localstack": Capabilities(
        archive_in_template=False,
        updates_in_place=False,
        deletes_failed=False,
        dashboard=False,
        rule_dead_letters=False,
        replay=False,
    ),
    "aws": Capabilities(),
}


@dataclass(frozen=True)
class Endpoint:
    """A backend that answers. endpoint_url is None for AWS's own endpoints.

    upstream_url is the engine behind localbus; known only where the backend was started.
    """

    name: BackendName
    endpoint_url: str | None
    region: str = DEFAULT_REGION
    upstream_url: str | None = field(default=None, compare=False)

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities of this backend."""
        return CAPABILITIES[self.name]

    @property
    def local(self) -> bool:
        """True if it runs on this machine or a neighbouring one, with any credentials."""
        return self.name != "aws"

    def unanswered(self, *, within_s: float) -> str | None:
        """The first address of a local backend whose health page does not answer in time; None when all of them do."""
        addresses: tuple[tuple[BackendName, str | None], ...] = (
            (self.name, self.endpoint_url),
            ("ministack", self.upstream_url),
        )
        for name, url in addresses if self.local else ():
            if url is not None and read_json(f"{url.rstrip('/')}{HEALTH_PATHS[name]}", within_s) is None:
                return url
        return None

    def environment(self) -> dict[str, str]:
        """The standard AWS variables that point any SDK, and the aws command, at this backend."""
        regions = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self.endpoint_url is None:
            return regions
        endpoint = {**regions, "AWS_ENDPOINT_URL": self.endpoint_url}
        if not self.local:
            return endpoint
        return {**endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

    def session(self) -> "boto3.Session":
        """A boto3 session for this backend; give its clients `endpoint_url` and `CLIENT_CONFIG`."""
        import boto3  # noqa: PLC0415 - takes as long as starting a backend

        from orderboard_stack.clients import local_session  # noqa: PLC0415

        return local_session(self.region) if self.local else boto3.Session(region_name=self.region)


class BackendUnreachableError(Exception):
    """No known backend answers at the address; the message says how to go on."""


def detect(endpoint_url: str | None, region: str = DEFAULT_REGION, *, alone: bool = False) -> Endpoint:
    """Detect the backend that answers at endpoint_url (None: AWS). Raises BackendUnreachableError.

    alone: accept a localbus without an upstream, which has queues, topics, buses and tables, but no functions.
    """
    if endpoint_url is None or ".amazonaws.com" in endpoint_url:
        return Endpoint("aws", endpoint_url, region)
    base = endpoint_url.rstrip("/")
    for name, path in HEALTH_PATHS.items():
        if (health := _health(f"{base}{path}")) is None:
            continue
        if name == "embedded" and not alone and not health.get("upstream"):
            raise BackendUnreachableError(
                f"The localbus at {endpoint_url} runs without an upstream, so it has no functions. "
                "Start it in front of an engine that has them: python -m localbus --upstream URL"
            )
        return Endpoint(name, endpoint_url, region)
    raise BackendUnreachableError(
        f"No backend answers at {endpoint_url}. Is it running? `orderboard doctor` checks this machine."
    )


def _health(url: str, timeout_s: float = 5) -> dict[str, Any] | None:
    health = read_json(url, timeout_s)
    return health if isinstance(health, dict) and "services" in health else None
