"""One invocation: every message of the batch is announced, ignored or given back to SQS, each by itself."""

from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from orderboard_contracts.events import NotAnEvent

from notifier.alerts import alert_for
from notifier.announcer import AlreadyAnnounced, Announced, Announcer
from notifier.delivery import read_event

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.base import FailureResponse
    from aws_lambda_powertools.utilities.batch.exceptions import ExceptionInfo
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

# What one alert may need: about an SDK call that hangs. A function with a short timeout spares a third of it instead.
SPARED_MS: Final = 3_000


class OutOfTimeError(Exception):
    """Too little of the invocation is left to begin another alert; SQS delivers the message again."""


class Notifier:
    """Handles batches of SQS messages, and reports those that failed by their message ids.

    A batch that fails as a whole is reported in the same way and not raised: an exception would count as an error of
    the function, and Lambda would slow down the mapping for every message behind it.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(self, announcer: Announcer, logger: Logger, metrics: Metrics) -> None:
        self._announcer = announcer
        self._logger = logger
        self._metrics = metrics
        self._processor = _Processor(logger, metrics)
        self._spared_ms = SPARED_MS

    def handle(self, event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
        """Handle one SQS event and answer with its batch item failures."""
        self._announcer.begin(context)
        self._spared_ms = min(SPARED_MS, context.get_remaining_time_in_millis() // 3)
        self._metrics.add_metric("MessagesReceived", MetricUnit.Count, len(event["Records"]))
        try:
            return process_partial_response(event, self._handle_one, self._processor, context)
        finally:
            self._metrics.flush_metrics()

    def _handle_one(self, record: SQSRecord, lambda_context: "LambdaContext") -> None:
        if lambda_context.get_remaining_time_in_millis() < self._spared_ms:
            raise OutOfTimeError(f"less than {self._spared_ms} ms of the invocation are left")
        event = read_event(record.body)
        story = {
            "event_id": event.id,
            "event_type": event.type,
            "order_id": event.subject,
            "correlation_id": event.correlationid,
            "message_id": record.message_id,
        }
        alert = alert_for(event)
        if alert is None:
            self._count("EventsIgnored")
            self._logger.info("event.ignored", extra=story)
            return
        match self._announcer.announce(event.id, alert):
            case Announced(message_id=sns_message_id):
                self._count("AlertsAnnounced")
                self._logger.info(
                    "alert.announced", extra=story | {"kind": alert.kind, "sns_message_id": sns_message_id}
                )
            case AlreadyAnnounced(message_id=sns_message_id):
                self._count("AlertsAlreadyAnnounced")
                self._logger.info(
                    "alert.already_announced", extra=story | {"kind": alert.kind, "sns_message_id": sns_message_id}
                )

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name, MetricUnit.Count, 1)


class _Processor(BatchProcessor):
    """The message boundary: whatever one message raises becomes its item failure, logged once a receive."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._log = logger
        self._metrics = metrics

    def failure_handler(self, record: Any, exception: "ExceptionInfo") -> "FailureResponse":
        """Say why the message goes back. Poison ends in the dead-letter queue by the queue's redrive policy."""
        story = {"message_id": record.message_id, "receive_count": record.attributes.approximate_receive_count}
        if isinstance(exception[1], NotAnEvent | OutOfTimeError | IdempotencyAlreadyInProgressError):
            self._log.warning("message.refused", extra=story | {"reason": str(exception[1])})
        else:
            self._log.error("message.failed", extra=story | {"reason": str(exception[1])}, exc_info=exception[1])
        self._metrics.add_metric("MessagesFailed", MetricUnit.Count, 1)
        return super().failure_handler(record, exception)
