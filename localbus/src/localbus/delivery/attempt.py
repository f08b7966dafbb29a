"""One attempt to deliver: the error that it ends with, HTTP answers, and Lambda functions as targets."""

from __future__ import annotations

from typing import Final

from localbus.http.client import Answer, NoAnswerError
from localbus.resource_policy import Principal, allows
from localbus.upstream.client import UpstreamClient

_ALLOW: Final = "Allow it in the target's policy, or start localbus with --no-policies"
_EXISTS: Final = "Create the target, or delete what sends to it"
_KEY: Final = "Give the target a key of your own, as AWS's key allows no service"
_FIXES: Final = {
    "AccessDeniedException": _ALLOW,
    "AuthorizationErrorException": _ALLOW,
    "KMSAccessDeniedException": _KEY,
    "KmsAccessDenied": _KEY,
    "NO_PERMISSIONS": _ALLOW,
    "NO_RESOURCE": _EXISTS,
    "NotFoundException": _EXISTS,
    "QueueDoesNotExist": _EXISTS,
    "ResourceNotFoundException": _EXISTS,
}


def fix_of(code: str) -> str:
    """Return what to do about a target's error; empty if that depends on the target."""
    return _FIXES.get(code, "")


class DeliveryError(Exception):
    """A target did not accept a message. `code` is one of EventBridge's or the target's own.

    `retryable` says whether another attempt may succeed, `fix` what to do unless that follows from the code.
    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False, fix: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable
        self.fix = fix_of(code) if fix is None else fix


def check_answer(answer: Answer, target: str) -> None:
    """Raise DeliveryError unless the HTTP status is a success. Throttling and server errors are retryable."""
    if answer.status < 300:
        return
    excerpt = answer.body[:200].decode("utf-8", "replace")
    text = f"{target} answered {answer.status}" + (f": {excerpt}" if excerpt else "")
    match answer.status:
        case 404:
            raise DeliveryError("NO_RESOURCE", text)
        case 401 | 403:
            raise DeliveryError("NO_PERMISSIONS", text)
        case 429:
            raise DeliveryError("THROTTLING", text, retryable=True)
        case status if status >= 500:
            raise DeliveryError("ERROR_FROM_TARGET", text, retryable=True)
    raise DeliveryError("SDK_CLIENT_ERROR", text)


def no_connection(error: Exception, target: str) -> DeliveryError:
    """Return the retryable error for a target that did not answer, or not in time."""
    text = f"{target} did not answer in time" if isinstance(error, TimeoutError) else str(error)
    return DeliveryError("CONNECTION_FAILURE", text, retryable=True)


def require_upstream(upstream: UpstreamClient, service: str) -> None:
    """Raise DeliveryError if the engine has no upstream, and therefore not this service."""
    if not upstream.is_configured:
        text = f"localbus has no {service} without an upstream: start it with --upstream http://HOST:PORT"
        raise DeliveryError("NO_RESOURCE", text, fix="")


async def invoke_function(
    upstream: UpstreamClient, arn: str, payload: str, principal: Principal, *, enforce_policies: bool
) -> None:
    """Invoke a Lambda function of the upstream asynchronously, if its policy allows. Raises DeliveryError."""
    require_upstream(upstream, "Lambda")
    try:
        if enforce_policies:
            await _check_permission(upstream, arn, principal)
        answer = await upstream.invoke(arn, payload, wait=False)
    except (NoAnswerError, TimeoutError) as exc:
        raise no_connection(exc, arn) from exc
    check_answer(answer, arn)


async def _check_permission(upstream: UpstreamClient, arn: str, principal: Principal) -> None:
    """Require the function's policy to name the topic or rule that invokes it.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    policy = await upstream.function_policy(arn)
    if allows(policy, principal, "lambda:InvokeFunction", arn):
        return
    if not policy and not await upstream.has_function(arn):
        raise DeliveryError("NO_RESOURCE", f"{arn} does not exist")
    text = f"the policy of {arn} does not allow {principal.service} to invoke it"
    raise DeliveryError("NO_PERMISSIONS", f"{text} for {principal.context.get('aws:SourceArn')}")
