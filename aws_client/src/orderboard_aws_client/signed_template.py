"""The request of an operation as botocore built and signed it once, as a template for the next ones.

Only body, time, token and signature differ between two requests of an operation, and the signing key changes once a
day. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Self
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access_key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_TIME: Final = "%Y%m%dT%H%M%SZ"
_DATE: Final = "X-Amz-Date"
_TOKEN: Final = "X-Amz-Security-Token"  # noqa: S105 - the name of a header
_INVOCATION: Final = "amz-sdk-invocation-id"
_TRACE_ID: Final = "x-amzn-trace-id"  # of a function's invocation
# Headers that differ in every request; the rest is constant.
_OWN_OF_A_REQUEST: Final = frozenset(
    ("authorization", "x-amz-date", "x-amz-security-token", "content-length", _INVOCATION)
)


@dataclass
class SignedTemplate:
    """A signed POST request without its body. `sign` makes the headers of the next one."""

    url: str
    headers: Mapping[str, str]
    access_key: str
    has_token: bool
    _signed: str
    _canonical: str  # with {date}, {token} and {body_hash} to fill in
    _region_and_service: tuple[str, str]
    _key_of: tuple[str, str] = ("", "")  # the day and the secret key of _key
    _key: bytes = b""
    _head: str = ""  # the request line and the constant headers

    @classmethod
    def of(cls, request: Any, credentials: Any) -> Self | None:
        """Read botocore's prepared request; return None unless `sign` gives the same signature for its body.

        So another kind of signature, credential, path or query make it None, and anything that this module does not
        know.
        """
        headers = {_text(name): _text(value) for name, value in request.headers.items()}
        found = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
        parts = urlsplit(request.url)
        if found is None or request.method != "POST" or parts.path not in ("", "/") or parts.query:
            return None
        lower = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        lower |= {"host": _host(parts), "x-amz-date": "{date}", "x-amz-security-token": "{token}"}
        signed = found["signed"].split(";")
        if not lower.keys() >= set(signed) or _TRACE_ID in lower:
            return None
        lines = "".join(f"{name}:{_literal(name, lower[name])}\n" for name in signed)
        template = cls(
            url=request.url,
            headers={name: value for name, value in headers.items() if name.lower() not in _OWN_OF_A_REQUEST},
            access_key=found["access_key"],
            has_token=_TOKEN.lower() in signed,
            _signed=found["signed"],
            _canonical=f"POST\n/\n\n{lines}\n{found['signed']}\n{{body_hash}}",
            _region_and_service=(found["region"], found["service"]),
        )
        if not template.fits(credentials):
            return None
        at = datetime.strptime(headers[_DATE], _TIME).replace(tzinfo=UTC)
        again = template.sign(_bytes(request.body), credentials, at)
        return template if again["Authorization"] == headers["Authorization"] else None

    def request(self, body: bytes, credentials: Any) -> AWSPreparedRequest:
        """Return the signed request with this body."""
        headers: Any = {**self.headers, **self.sign(body, credentials), _INVOCATION: str(uuid.uuid4())}
        return AWSPreparedRequest("POST", self.url, headers, body, stream_output=False)

    def message(self, body: bytes, credentials: Any) -> bytes:
        """Return the signed request with this body as HTTP/1.1 sends it."""
        if not self._head:
            usual = {"Host": _host(urlsplit(self.url)), "Accept": "*/*", "Accept-Encoding": "identity", **self.headers}
            self._head = f"POST / HTTP/1.1\r\n{_lines(usual)}"
        own = self.sign(body, credentials)
        own[_INVOCATION], own["Content-Length"] = str(uuid.uuid4()), str(len(body))
        return f"{self._head}{_lines(own)}\r\n".encode() + body

    def fits(self, credentials: Any) -> bool:
        """Return whether these are the credentials of the template: others may have another endpoint."""
        return bool(credentials.access_key == self.access_key and bool(credentials.token) == self.has_token)

    def sign(self, body: bytes, credentials: Any, at: datetime | None = None) -> dict[str, str]:
        """Return the headers that are signed anew for a request with this body."""
        date = (at or datetime.now(UTC)).strftime(_TIME)
        day, (region, service) = date[:8], self._region_and_service
        if self._key_of != (day, credentials.secret_key):
            self._key_of = day, credentials.secret_key
            key = f"AWS4{credentials.secret_key}".encode()
            for part in (day, region, service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = key
        canonical = self._canonical.format(date=date, token=credentials.token, body_hash=sha256(body).hexdigest())
        scope = f"{day}/{region}/{service}/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key, to_sign.encode(), "sha256").hex()
        headers = {
            _DATE: date,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, "
            f"SignedHeaders={self._signed}, Signature={signature}",
        }
        if self.has_token:
            headers[_TOKEN] = credentials.token
        return headers


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _literal(name: str, value: str) -> str:
    """Escape the braces of a constant header for str.format."""
    return value if name in ("x-amz-date", "x-amz-security-token") else value.replace("{", "{{").replace("}", "}}")


def _host(parts: Any) -> str:
    """Return the Host header that HTTP clients send: without the port that is usual for the scheme."""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else str(parts.hostname)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"
