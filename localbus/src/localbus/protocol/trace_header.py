"""The X-Ray trace header on its way: from the X-Amzn-Trace-Id of a request to the AWSTraceHeader of a message.

One that the sender gives beside the message overrides that of its request. It does not count towards sizes.
Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
"""

from __future__ import annotations

from localbus.protocol.service_model import Params

ATTRIBUTE = "AWSTraceHeader"


def has_trace_header(entry: Params) -> bool:
    """Whether SendMessage's input names a trace header itself."""
    return ATTRIBUTE in entry.get("MessageSystemAttributes", {})


def with_trace_header(entry: Params, trace_header: str | None) -> Params:
    """SendMessage's input with this trace header, unless it names one itself or there is none."""
    if not trace_header or has_trace_header(entry):
        return entry
    header = {"DataType": "String", "StringValue": trace_header}
    return {**entry, "MessageSystemAttributes": {**entry.get("MessageSystemAttributes", {}), ATTRIBUTE: header}}
