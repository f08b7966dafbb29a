"""Lambda's entry point. The first invocation creates clients and settings, later ones reuse them."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config
from orderboard_contracts.tracing import start_in_function

from notifier.alert_publisher import AlertPublisher
from notifier.batch import Notifier
from notifier.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Short, so that an endpoint that hangs delays one message and does not use up the invocation.
_SDK: Final = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def _notifier() -> Notifier:
    settings = Settings.from_environment(os.environ)
    tracing = start_in_function(settings.service)
    publisher = AlertPublisher(
        sns=boto3.client("sns", config=_SDK),
        dynamodb=boto3.client("dynamodb", config=_SDK),
        topic_arn=settings.alerts_topic_arn,
        idempotency_table=settings.idempotency_table,
        tracing=tracing,
    )
    metrics = Metrics(service=settings.service, namespace=settings.metrics_namespace)
    return Notifier(publisher, Logger(service=settings.service), metrics, tracing)


def handle(event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
    """Handle a batch of SQS messages and return `batchItemFailures` (ReportBatchItemFailures)."""
    return _notifier().handle(event, context)
