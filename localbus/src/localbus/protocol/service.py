"""A service as the protocols see it: a model, a table of actions, and its errors for invalid input.

Each entry of `actions` maps an action's name to a function of the parsed input and the caller. An action that must wait
(a long poll) returns an awaitable; all others return at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from localbus.errors import AwsError, InvalidTokenError, not_implemented
from localbus.protocol.constraints import Violation, describe
from localbus.protocol.service_model import Api, Operation, Params
from localbus.resource_policy import user_arn

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: account and region of its credentials, and the address by which it reached the engine.

    `signed` tells whether it had credentials; `trace_header` is the X-Amzn-Trace-Id, which goes into messages.
    `headers` are those of the request, by lower-case name.
    """

    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    base_url: str = "http://localhost"
    request_id: str = ""
    signed: bool = True
    trace_header: str = ""
    headers: Mapping[bytes, bytes] = field(default_factory=dict, compare=False, repr=False)

    def condition_keys(self) -> dict[str, str]:
        """Return the condition keys of a policy that depend on the request, in lower case. Every client is local."""
        keys = {"aws:sourceip": "127.0.0.1"}
        for key, header in (("aws:useragent", b"user-agent"), ("aws:referer", b"referer")):
            if header in self.headers:
                keys[key] = self.headers[header].decode("latin-1")
        return keys

    @property
    def principal_arn(self) -> str:
        """The ARN of the caller."""
        return user_arn(self.account)


Action = Callable[[Params, Caller], Params | Awaitable[Params]]


def validation_exception(violations: list[Violation]) -> AwsError:
    """Return the error of most services for invalid input."""
    return AwsError("ValidationException", describe(violations))


@dataclass(frozen=True)
class Service:
    """One AWS service. `json_version` is None for a service that speaks only the Query protocol.

    `invalid_token` is the code and message of the error for a NextToken that is not valid. `namespaces` has the JSON
    errors, by code, that are in another namespace than `error_namespace`.
    """

    api: Api
    actions: Mapping[str, Action]
    json_version: Literal["1.0", "1.1"] | None
    xmlns: str | None = None
    error_namespace: str = ""
    validation_error: Callable[[list[Violation]], AwsError] = validation_exception
    invalid_token: tuple[str, str] = ("ValidationException", "Parameter NextToken is not valid.")
    namespaces: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in a request's credential scope."""
        return self.api.name

    def namespace_of(self, code: str) -> str:
        """Return the namespace of an error in JSON."""
        return self.namespaces.get(code, self.error_namespace)

    def call(self, operation: Operation, params: Params, caller: Caller) -> Params | Awaitable[Params]:
        """Validate the input against the model and run the action."""
        violations = operation.violations(params)
        if violations:
            raise self.validation_error(violations)
        action = self.actions.get(operation.name)
        if action is None:
            raise not_implemented(self.name, operation.name)
        try:
            return action(params, caller)
        except InvalidTokenError as exc:
            raise AwsError(*self.invalid_token) from exc
