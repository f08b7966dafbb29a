"""The X-Ray trace header: from the X-Amzn-Trace-Id of a request to the AWSTraceHeader of a message.

A header in the message's system attributes overrides that of the request. It does not count towards sizes.
Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
"""

from __future__ import annotations

from localbus.protocol.service_model import Params

ATTRIBUTE = "AWSTraceHeader"


def has_trace_header(entry: Params) -> bool:
    """Return whether SendMessage's input has a trace header."""
    return ATTRIBUTE in entry.get("MessageSystemAttributes", {})


def with_trace_header(entry: Params, trace_header: str | None) -> Params:
    """Return SendMessage's input with this trace header, unless it has one already."""
    if not trace_header or has_trace_header(entry):
        return entry
    header = {"DataType": "String", "StringValue": trace_header}
    return {**entry, "MessageSystemAttributes": {**entry.get("MessageSystemAttributes", {}), ATTRIBUTE: header}}
