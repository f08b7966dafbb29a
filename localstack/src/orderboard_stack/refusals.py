"""Refusals of AWS, each as one line with the fix."""

import re
from typing import Final

from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and the common errors of the other services
_EXPIRED: Final = frozenset(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"))
_REFUSED: Final = frozenset(
    (
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "AuthFailure",
        "InvalidSignatureException",
    )
)
_DENIED: Final = frozenset(
    ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "UnauthorizedException")
)
_ACTION: Final = re.compile(r"not authorized to perform: ?\[?([a-z0-9-]+:\w+)")
_ON: Final = re.compile(r"on resource: ?\[?([^\s\]]+)")
NEW_ACCOUNT: Final = "service linked role"
AGAIN: Final = "In a new account the role appears within a minute of the first attempt: run the command again."
_NEW_KEYS: Final = "Log in again: aws sso login, or set AWS_PROFILE or new keys."


def in_one_line(exc: Exception, region: str) -> str:
    """Return what is wrong and what to do."""
    match exc:
        case NoCredentialsError() | PartialCredentialsError():
            return "There are no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        case ProfileNotFound():
            return f"{exc}. Set AWS_PROFILE to one of `aws configure list-profiles`."
        case UnauthorizedSSOTokenError() | SSOTokenLoadError() | TokenRetrievalError():
            return f"The AWS login has expired. {_NEW_KEYS}"
        case ProxyConnectionError():
            return f"{exc}. Is HTTPS_PROXY right?"
        case EndpointConnectionError():
            return f"{exc} Is {region} the region that you mean (AWS_REGION), and is there a network?"
    return _refused(exc, region) if isinstance(exc, ClientError) else str(exc)


def _refused(exc: ClientError, region: str) -> str:
    error = exc.response["Error"]
    code, text = error.get("Code", ""), error.get("Message", str(exc))
    if code in _EXPIRED:
        return f"The AWS credentials have expired. {_NEW_KEYS}"
    if code in _REFUSED:
        return f"AWS refuses the credentials in {region} ({code}). Is the region enabled in the account? {_NEW_KEYS}"
    if code in _DENIED:
        action, resource = _ACTION.search(text), _ON.search(text)
        what = action[1] if action else f"{exc.operation_name}"
        where = f" on {resource[1]}" if resource else ""
        return f"These credentials may not do {what}{where}. Allow it, or use others (AWS_PROFILE)."
    if code in ("OptInRequired", "SubscriptionRequiredException"):
        return f"The account has not enabled this service, or {region}. Enable it in the console: Account, Regions."
    if NEW_ACCOUNT in text.lower():
        return f"{text} {AGAIN}"
    return text if exc.operation_name in text else f"{exc.operation_name}: {text}"
