"""Errors for requests to services that localbus does not have, in the protocol of the request."""

from __future__ import annotations

import html
import json

from localbus.http.message import Headers, Request, Response

_XML: Headers = [(b"Content-Type", b"text/xml")]


def unsupported(request: Request, service: str | None) -> Response:
    """Return the error. `service` is the one that the request is signed for."""
    if service is None and not request.header(b"x-amz-target") and "Action" not in request.form:
        text = f"There is nothing at {request.method} {request.path}. This is an endpoint for AWS clients: SQS, SNS,"
        text += " EventBridge and DynamoDB. GET /_localbus/ lists localbus's own routes."
        return Response(404, [(b"Content-Type", b"text/plain; charset=utf-8")], f"{text}\n".encode())
    text = f"localbus does not have {service or 'this service'}. Start it with --upstream URL to proxy other services."
    return refusal(request, service, "NotImplemented", text, 501)


def refusal(request: Request, service: str | None, code: str, text: str, status: int) -> Response:
    """Return an error in the protocol of a request to a service that localbus does not have."""
    if service == "s3":
        error = f"<Error><Code>{code}</Code><Message>{html.escape(text, quote=False)}</Message></Error>"
        return Response(status, _XML, error.encode())
    if request.is_form:
        fault = "Sender" if status < 500 else "Receiver"
        error = f"<Type>{fault}</Type><Code>{code}</Code><Message>{html.escape(text, quote=False)}</Message>"
        return Response(status, _XML, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())
    headers = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", code.encode())]
    return Response(status, headers, json.dumps({"__type": code, "message": text}).encode())
