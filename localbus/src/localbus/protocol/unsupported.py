"""Errors for requests to services that localbus does not have, in the protocol of the request."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from localbus.http.message import Headers, Request, Response

_JSON: Headers = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", b"NotImplemented")]
_XML: Headers = [(b"Content-Type", b"text/xml")]


def unsupported(request: Request, service: str | None) -> Response:
    """Return the error. `service` is the one that the request is signed for."""
    if service is None and not request.header(b"x-amz-target") and "Action" not in request.form:
        text = f"There is nothing at {request.method} {request.path}. This is an endpoint for AWS clients: SQS, SNS and"
        text += " EventBridge. GET /_localbus/ lists localbus's own routes."
        return Response(404, [(b"Content-Type", b"text/plain; charset=utf-8")], f"{text}\n".encode())
    text = f"localbus does not have {service or 'this service'}. Start it with --upstream URL to proxy other services."
    if service == "s3":
        return Response(501, _XML, f"<Error><Code>NotImplemented</Code><Message>{text}</Message></Error>".encode())
    if request.is_form:
        error = f"<Type>Receiver</Type><Code>NotImplemented</Code><Message>{escape(text)}</Message>"
        return Response(501, _XML, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())
    return Response(501, _JSON, json.dumps({"__type": "NotImplemented", "message": text}).encode())
