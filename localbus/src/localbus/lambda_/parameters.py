"""The parameters of a request about a queue's mapping: their validation, and the settings that they change.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html; the messages are
AWS's where they are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from localbus.errors import AwsError
from localbus.lambda_.filter_criteria import read_filter_criteria
from localbus.lambda_.mapping import EVENT_COUNT, REPORT_FAILURES, Settings
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params

MAX_UNWINDOWED_BATCH = 10
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html: these are of streams, brokers and
# databases, or (log levels, keys, provisioned pollers) not implemented here.
_OF_OTHER_SOURCES = (
    *("StartingPosition", "StartingPositionTimestamp", "ParallelizationFactor", "MaximumRecordAgeInSeconds"),
    *("BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds", "Topics", "Queues"),
    *("SourceAccessConfigurations", "SelfManagedEventSource", "DocumentDBEventSourceConfig"),
    *("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"),
)
_NOT_IMPLEMENTED = ("KMSKeyArn", "LoggingConfig", "ProvisionedPollerConfig")
_SETTINGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "BatchSize": ("batch_size", int),
    "MaximumBatchingWindowInSeconds": ("batching_window_s", int),
    "ScalingConfig": ("maximum_concurrency", lambda given: given.get("MaximumConcurrency")),
    "FunctionResponseTypes": ("reports_failures", lambda given: REPORT_FAILURES in given),
    "FilterCriteria": ("filters", read_filter_criteria),
    "MetricsConfig": ("counts_events", lambda given: EVENT_COUNT in given.get("Metrics", [])),
}
_FUNCTION = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>[0-9]{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


def invalid(text: str) -> AwsError:
    """Return the error for an invalid parameter."""
    return AwsError("InvalidParameterValueException", text)


def settings_of(params: Params, current: Settings, *, fifo: bool) -> Settings:
    """Return the settings after a request, which keeps what it does not name. Raises AwsError."""
    for name in _OF_OTHER_SOURCES:
        if params.get(name) not in (None, [], {}):
            raise invalid(f"{name} is not valid for SQS event sources.")
    if params.get("DestinationConfig"):
        raise invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
    for name in _NOT_IMPLEMENTED:
        if params.get(name) not in (None, "", {}):
            raise AwsError(
                "NotImplemented",
                f"{name} of an event source mapping is a parameter of AWS that localbus does not implement.",
            )
    changes = {field: read(params[name]) for name, (field, read) in _SETTINGS.items() if name in params}
    settings = replace(current, **changes)
    if fifo and settings.batching_window_s:
        raise invalid("Batching window is not supported for FIFO queues")
    if fifo and settings.batch_size > MAX_UNWINDOWED_BATCH:
        raise invalid(f"Batch size must not exceed {MAX_UNWINDOWED_BATCH} for FIFO queues")
    if settings.batch_size > MAX_UNWINDOWED_BATCH and not settings.batching_window_s:
        text = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than"
        raise invalid(f"{text} {MAX_UNWINDOWED_BATCH}")
    return settings


def function_arn_of(name: str, caller: Caller) -> str:
    """Return the ARN of a function that is given by its name, a part of its ARN or all of it."""
    found = _FUNCTION.fullmatch(name)
    if found is None:
        raise invalid(f"{name} is neither the name nor the ARN of a function.")
    arn = f"arn:aws:lambda:{found['region'] or caller.region}:{found['account'] or caller.account}"
    qualifier = f":{found['qualifier']}" if found["qualifier"] else ""
    return f"{arn}:function:{found['name']}{qualifier}"


def is_queue(arn: str) -> bool:
    """Return whether an event source is an SQS queue."""
    parts = arn.split(":")
    return len(parts) > 2 and parts[2] == "sqs"
