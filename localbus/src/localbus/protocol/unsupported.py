"""The answer to what is for none of our services when there is no upstream: in the protocol of whoever asks."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from localbus.http.message import Headers, Request, Response

_JSON: Headers = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", b"NotImplemented")]
_XML: Headers = [(b"Content-Type", b"text/xml")]


def unsupported(request: Request, service: str | None) -> Response:
    """Say which service is missing. `service` is the one that the request is signed for."""
    if service is None and not request.header(b"x-amz-target") and "Action" not in request.form:
        text = f"There is nothing at {request.method} {request.path}. This is an endpoint for AWS clients: SQS, SNS and"
        text += " EventBridge. GET /_localbus/ lists the pages of its own."
        return Response(404, [(b"Content-Type", b"text/plain; charset=utf-8")], f"{text}\n".encode())
    text = f"localbus has no {service or 'such service'}: start it with --upstream URL to pass other services on."
    if service == "s3":
        return Response(501, _XML, f"<Error><Code>NotImplemented</Code><Message>{text}</Message></Error>".encode())
    if request.is_form:
        error = f"<Type>Receiver</Type><Code>NotImplemented</Code><Message>{escape(text)}</Message>"
        return Response(501, _XML, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())
    return Response(501, _JSON, json.dumps({"__type": "NotImplemented", "message": text}).encode())
