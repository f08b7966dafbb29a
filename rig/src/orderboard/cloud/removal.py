"""The removal of everything from an account, and the names of what stays there and costs money."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from orderboard_stack.aws import Account
from orderboard_stack.clients import CLIENT_CONFIG
from orderboard_stack.code_bucket import CodeBucket
from orderboard_stack.deploy import delete
from orderboard_stack.stack import Stack

from orderboard.cloud.problems import explained
from orderboard.errors import RigError
from orderboard.system.target import restoring
from orderboard.terminal.progress import PlainScreen, Screen

if TYPE_CHECKING:
    import boto3

# The services before what they need.
_ORDER: Final = ("services", "network", "images")
_WITHIN_S: Final = 1800.0
_MISSING: Final = (
    "ResourceNotFoundException",
    "RepositoryNotFoundException",
    "TableNotFoundException",
    "404",
    "NoSuchBucket",
)


@dataclass(frozen=True)
class Removal:
    """The removal of the stacks of one name."""

    account: Account
    stack_name: str
    prefix: str
    screen: Screen

    @cached_property
    def session(self) -> "boto3.Session":
        """The session of all clients."""
        return self.account.endpoint.session()

    def found(self) -> tuple[str, ...]:
        """The stacks that exist, in the order in which they go."""
        with explained(self.account.endpoint.region):
            names = (*(f"{self.stack_name}-{each}" for each in _ORDER), self.stack_name)
            return tuple(name for name in names if self._stack(name).state() is not None)

    def remove(self) -> tuple[str, ...]:
        """Delete everything and wait. Return what stays and costs money; raise RigError if a stack stays."""
        endpoint = self.account.endpoint
        with explained(endpoint.region):
            try:
                for name in self.found():
                    with self.screen.task(f"Stack {name} deleted") as task:
                        say = self.screen.say if isinstance(self.screen, PlainScreen) else task.detail
                        self._delete(name, say)
                with self.screen.task("What stacks leave behind"):
                    self._clean()
            except KeyboardInterrupt as exc:
                raise KeyboardInterrupt(
                    "Interrupted. CloudFormation goes on with the stack that it deletes; others stay and cost money. "
                    "Go on with: orderboard down --backend aws"
                ) from exc
            return self.left()

    def left(self) -> tuple[str, ...]:
        """Return what is still there and costs money, a line each."""
        names = [f"stack {name}" for name in self.found()]
        names += [f"log group {name}" for name in self._log_groups((*self._of_ecs, *self._of_functions))]
        names += [
            f"image repository {self.prefix}-{each}" for each in ("order-api", "worker") if self._has_images(each)
        ]
        names += [f"bucket {self._bucket().name}"] if self._has_bucket() else []
        orders = f"{self.prefix}-orders"
        names += [f"table {restoring(orders)} of an interrupted restore"] if self._has_table(restoring(orders)) else []
        tables = (orders, restoring(orders))
        return tuple(names + [f"backup {name} of {table}" for table in tables for name in self._backups(table)])

    def _stack(self, name: str, progress: Callable[[str], None] = lambda _: None) -> Stack:
        endpoint = self.account.endpoint
        return Stack(self.session, endpoint.endpoint_url, name, progress=progress, within_s=_WITHIN_S)

    def _delete(self, name: str, progress: Callable[[str], None]) -> None:
        self._stack(name, progress).settle()
        if name != self.stack_name:
            self._stack(name, progress).delete()
            return
        endpoint = self.account.endpoint
        delete(
            self.session,
            endpoint.endpoint_url,
            stack_name=name,
            prefix=self.prefix,
            progress=progress,
            within_s=_WITHIN_S,
        )

    def clear_services(self) -> None:
        """Delete what blocks a new stack of the services: old log groups, and a secret that waits for deletion.

        ECS may write the last metrics, and so make their log group again, after the stack has gone.
        """
        self._delete_log_groups(self._of_ecs)
        # Its name stays taken for days. https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
        client, name = self._client("secretsmanager"), f"{self.prefix}-api-token"
        found = _unless_missing(lambda: client.describe_secret(SecretId=name))
        if found is not None and "DeletedDate" in found:
            client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def _clean(self) -> None:
        """Delete what outlives its stack."""
        self.clear_services()
        self._delete_log_groups(self._of_functions)
        self._bucket().delete()

    @property
    def _of_ecs(self) -> tuple[str, ...]:
        services = (f"/ecs/{self.prefix}-{each}" for each in ("order-api", "worker"))
        return (*services, f"/aws/ecs/containerinsights/{self.prefix}/performance")

    @property
    def _of_functions(self) -> tuple[str, ...]:
        return tuple(f"/aws/lambda/{self.prefix}-{each}" for each in ("notifier", "worker"))

    def _log_groups(self, names: tuple[str, ...]) -> list[str]:
        logs = self._client("logs")
        groups = [each for name in names for each in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]]
        return [str(each["logGroupName"]) for each in groups if each["logGroupName"] in names]

    def _delete_log_groups(self, names: tuple[str, ...]) -> None:
        for name in self._log_groups(names):
            self._client("logs").delete_log_group(logGroupName=name)

    def _has_images(self, service: str) -> bool:
        found = _unless_missing(
            lambda: self._client("ecr").describe_repositories(repositoryNames=[f"{self.prefix}-{service}"])
        )
        return found is not None

    def _has_bucket(self) -> bool:
        return _unless_missing(lambda: self._client("s3").head_bucket(Bucket=self._bucket().name)) is not None

    def _has_table(self, name: str) -> bool:
        return _unless_missing(lambda: self._client("dynamodb").describe_table(TableName=name)) is not None

    def _backups(self, table: str) -> list[str]:
        found = _unless_missing(lambda: self._client("dynamodb").list_backups(TableName=table))
        return [str(each["BackupName"]) for each in (found or {}).get("BackupSummaries", [])]

    def _bucket(self) -> CodeBucket:
        endpoint = self.account.endpoint
        return CodeBucket(self.session, endpoint.endpoint_url, self.prefix)

    def _client(self, service: str) -> Any:
        endpoint = self.account.endpoint
        return self.session.client(service, endpoint_url=endpoint.endpoint_url, config=CLIENT_CONFIG)  # type: ignore[call-overload]


def _unless_missing(call: Callable[[], Any]) -> Any:
    """Return the answer, None if the resource does not exist."""
    try:
        return call()
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in _MISSING:
            raise
        return None


def refuse_nothing(found: tuple[str, ...], account: Account, stack_name: str) -> None:
    """Raise RigError if there is nothing to remove."""
    if not found:
        raise RigError(
            f"Account {account.account_id} has no stack {stack_name} in {account.endpoint.region}. Is that the region "
            "that you deployed to (AWS_REGION)?"
        )
