"""The environment that leads AWS clients to a backend, and what in a user's shell would lead them past it."""

import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from orderboard_stack.backend import Endpoint

from orderboard.errors import RigError, UsageError

if TYPE_CHECKING:
    from orderboard.system.target import Target

Shell = Literal["sh", "fish", "powershell"]
# Credentials that would be tried before or together with those of a local backend, and switches for other endpoints.
# https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
_MISLEADING: Final = frozenset(
    (
        *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        *("AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
        *("AWS_ACCOUNT_ID", "AWS_ACCOUNT_ID_ENDPOINT_MODE"),
    )
)
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_NO_CLI: Final = (
    "The AWS CLI (aws) is not on PATH. Install version 1 with `pip install awscli`, or version 2 by "
    "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html."
)
_REFUSED: Final = {
    "--endpoint-url": "`orderboard aws` always uses the running system. Leave it out, or call aws itself",
    "--profile": "its credentials are not those of the running system. Leave it out, or call aws itself",
}
_REGION: Final = "--region"


def client_environment(endpoint: Endpoint, shell: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that lead every AWS client to this backend. None: unset it, for the user's shell has it."""
    found: dict[str, str | None] = {**endpoint.environment()}
    if not endpoint.local:
        return found
    found["AWS_ENDPOINT_URL_S3"] = endpoint.endpoint_url  # for cdklocal
    misleading = (name for name in shell if name in _MISLEADING or name.startswith("AWS_ENDPOINT_URL_"))
    found |= {name: None for name in sorted(misleading) if name not in found}
    if any(shell.get(name) or shell.get(name.lower()) for name in _PROXIES):
        before = shell.get("NO_PROXY") or shell.get("no_proxy") or ""
        host = urlsplit(endpoint.endpoint_url or "").hostname or ""
        value = before if before == "*" else ",".join(dict.fromkeys([*filter(None, before.split(",")), host]))
        found |= {"NO_PROXY": value, "no_proxy": value}
    return found


def system_environment(target: "Target") -> dict[str, str]:
    """Return the names and addresses of the system: its stack's outputs, queue URLs, and order-api's URL if known."""
    outputs = target.outputs.environment()
    queues = target.outputs.queues
    urls = {f"{name}_URL": target.queue_url(value) for name, value in outputs.items() if value in queues}
    return outputs | urls | ({} if target.api_url is None else {"ORDERBOARD_API_URL": target.api_url})


def in_shell(environment: Mapping[str, str | None], shell: Shell) -> list[str]:
    """Return a line of this shell's language for each variable."""
    return [_LINES[shell](name, value) for name, value in environment.items()]


def aws_command(
    endpoint: Endpoint, arguments: Sequence[str], shell: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of the AWS CLI for this backend. Raises RigError without a CLI.

    The endpoint is an option too: version 1 of the CLI ignores both variables for SQS, and version 2 before 2.13 all.
    """
    given = {name for name in (*_REFUSED, _REGION) if any(_is_option(name, each) for each in arguments)}
    for option, reason in _REFUSED.items():
        if option in given:
            raise UsageError(f"{option} cannot be given: {reason}.")
    if (executable := shutil.which("aws", path=shell.get("PATH"))) is None:
        raise RigError(_NO_CLI)
    url = [] if endpoint.endpoint_url is None else ["--endpoint-url", endpoint.endpoint_url]
    region = [] if _REGION in given else [_REGION, endpoint.region]
    environment = {**shell, **client_environment(endpoint, shell)}
    return [executable, *url, *region, *arguments], {
        name: value for name, value in environment.items() if value is not None
    }


def _is_option(name: str, word: str) -> bool:
    """Return whether a word of the command line is this option, which the CLI also takes shortened, as --endpoint."""
    typed = word.partition("=")[0]
    return len(typed) > len("--") and name.startswith(typed)


def _sh(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    # https://fishshell.com/docs/current/language.html#quotes
    quoted = (value or "").replace("\\", "\\\\").replace("'", "\\'")
    return f"set -e {name};" if value is None else f"set -gx {name} '{quoted}';"


def _powershell(name: str, value: str | None) -> str:
    quoted = (value or "").replace("'", "''")
    return f"Remove-Item Env:{name} -ErrorAction Ignore" if value is None else f"$env:{name} = '{quoted}'"


_LINES: Final[Mapping[Shell, Callable[[str, str | None], str]]] = {"sh": _sh, "fish": _fish, "powershell": _powershell}
