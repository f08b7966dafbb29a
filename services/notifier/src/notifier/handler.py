"""Lambda's entry. Everything is wired at the first invocation and kept for those after it."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config

from notifier.announcer import Announcer
from notifier.batch import Notifier
from notifier.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Short, so that an endpoint that hangs costs one message its turn and not the batch its invocation.
_SDK: Final = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def _notifier() -> Notifier:
    settings = Settings.from_environment(os.environ)
    announcer = Announcer(
        sns=boto3.client("sns", config=_SDK),
        dynamodb=boto3.client("dynamodb", config=_SDK),
        topic_arn=settings.alerts_topic_arn,
        idempotency_table=settings.idempotency_table,
    )
    return Notifier(
        announcer,
        Logger(service=settings.service),
        Metrics(service=settings.service, namespace=settings.metrics_namespace),
    )


def handle(event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
    """Handle a batch of SQS messages; what failed is named in `batchItemFailures` (ReportBatchItemFailures)."""
    return _notifier().handle(event, context)
