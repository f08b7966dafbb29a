"""AWS clients and aws command lines for a resource: of its region, and on a local backend of its account."""

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, cast

import boto3

from orderboard.resources.inventory import scope_of
from orderboard.system import command_line
from orderboard.system.target import Connection

DEFAULT_ACCOUNT: Final = "000000000000"  # of local backends, for any credentials but an account's number
_FIRST_KEY: Final = "AWS_ACCESS_KEY_ID=test "


@dataclass(frozen=True)
class _OfAccount(Connection):
    """A connection to a local backend as another account: there an access key of twelve digits is an account."""

    account: str

    @cached_property
    def session(self) -> boto3.Session:
        """The session of the backend, whose clients have the account's key."""
        return cast(boto3.Session, _AccountSession(self.endpoint.session(), self.account))


@dataclass(frozen=True)
class _AccountSession:
    of: boto3.Session
    account: str

    def client(self, service: str, **given: Any) -> Any:
        make: Any = self.of.client
        return make(service, aws_access_key_id=self.account, aws_secret_access_key="test", **given)  # noqa: S106


@dataclass
class Clients:
    """Connections to one backend by account and region, each made when it is first used."""

    connection: Connection
    _made: dict[tuple[str, str], Connection] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def at(self, arn: str) -> Connection:
        """Return the connection for a resource."""
        account, region = scope = scope_of(arn)
        with self._lock:
            if scope not in self._made:
                endpoint = replace(self.connection.endpoint, region=region)
                foreign = endpoint.local and account != DEFAULT_ACCOUNT
                self._made[scope] = _OfAccount(endpoint, account) if foreign else Connection(endpoint)
            return self._made[scope]

    def command(self, arn: str, *words: str) -> str:
        """Return an aws command line for a resource."""
        connection = self.at(arn)
        line = command_line.aws(connection.endpoint, *words)
        foreign = isinstance(connection, _OfAccount)
        return line.replace(_FIRST_KEY, f"AWS_ACCESS_KEY_ID={scope_of(arn)[0]} ", 1) if foreign else line

    def queue_url(self, arn: str) -> str:
        """Return the URL of a queue; on localbus without a request, since a problem of each queue may need one."""
        account, name = scope_of(arn)[0], arn.rpartition(":")[2]
        endpoint = self.connection.endpoint
        if endpoint.name == "embedded" and endpoint.endpoint_url is not None:
            return f"{endpoint.endpoint_url.rstrip('/')}/{account}/{name}"
        return self.at(arn).queue_url(name)
