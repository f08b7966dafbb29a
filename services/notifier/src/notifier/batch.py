"""One invocation: every message of the batch is published, ignored or returned to SQS, independently of the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from orderboard_contracts.events import Event, NotAnEvent, parse_event
from orderboard_contracts.trace_carrier import Carried
from orderboard_contracts.tracing import Processing, Tracing, span_ids
from orderboard_contracts.untrusted_text import first_error
from pydantic import BaseModel, ConfigDict, ValidationError

from notifier.alert_publisher import AlertPublisher
from notifier.alerts import alert_for

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.base import FailureResponse
    from aws_lambda_powertools.utilities.batch.exceptions import ExceptionInfo
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Time for one alert: about an SDK call that hangs. A function with a short timeout reserves a third of it instead.
SAFETY_MARGIN_MS: Final = 3_000


class OutOfTimeError(Exception):
    """Too little of the invocation is left for another alert; SQS delivers the message again."""


class _EventBridgeEvent(BaseModel):
    """https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"""

    model_config = ConfigDict(extra="ignore")

    detail: dict[str, Any]


def read_event(body: str) -> Event:
    """Read the event in a message body; raise NotAnEvent, which names the invalid part, if there is none."""
    try:
        delivered = _EventBridgeEvent.model_validate_json(body)
    except ValidationError as exc:
        raise NotAnEvent(f"not an EventBridge event: {first_error(exc)}") from exc
    return parse_event(delivered.detail)


class Notifier:
    """Handles batches of SQS messages, and reports those that failed by message id.

    A batch that fails as a whole is reported the same way and not raised: an exception would count as an error of the
    function, and Lambda would slow down the mapping for every message behind it.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    def __init__(
        self, publisher: AlertPublisher, logger: Logger, metrics: Metrics, tracing: Tracing | None = None
    ) -> None:
        self._publisher = publisher
        self._tracing = tracing
        self._logger = logger
        self._metrics = metrics
        self._processor = _Processor(logger, metrics)
        self._safety_margin_ms = SAFETY_MARGIN_MS

    def handle(self, event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
        """Handle one SQS event and return its batch item failures."""
        self._publisher.register(context)
        self._safety_margin_ms = min(SAFETY_MARGIN_MS, context.get_remaining_time_in_millis() // 3)
        self._metrics.add_metric("MessagesReceived", MetricUnit.Count, len(event["Records"]))
        try:
            return process_partial_response(event, self._handle_one, self._processor, context)
        finally:
            self._metrics.flush_metrics()
            if self._tracing is not None:
                self._tracing.flush()

    def _handle_one(self, record: SQSRecord, lambda_context: "LambdaContext") -> None:
        self._processor.processing = None
        if lambda_context.get_remaining_time_in_millis() < self._safety_margin_ms:
            raise OutOfTimeError(f"less than {self._safety_margin_ms} ms of the invocation are left")
        with _processing(self._tracing, record) as processing:
            self._processor.processing = processing
            event = read_event(record.body)
            self._notify(event if processing is None else processing.adopt(event), record, processing)

    def _notify(self, event: Event, record: SQSRecord, processing: Processing | None) -> None:
        carried = Carried(event.traceparent, event.tracestate, event.subject, event.correlationid)
        log_fields = {
            "event_id": event.id,
            "event_type": event.type,
            "message_id": record.message_id,
            **_log_fields(carried, processing),
        }
        alert = alert_for(event)
        if alert is None:
            metric, message = "EventsIgnored", "event.ignored"
        else:
            published = self._publisher.publish(event.id, alert)
            log_fields |= {"kind": alert.kind, "sns_message_id": published.message_id}
            if published.repeated:
                metric, message = "AlertsAlreadyPublished", "alert.already_published"
            else:
                metric, message = "AlertsPublished", "alert.published"
        self._metrics.add_metric(metric, MetricUnit.Count, 1)
        self._logger.info(message, extra=log_fields)
        if processing is not None:
            processing.end(message)


@contextmanager
def _processing(tracing: Tracing | None, record: SQSRecord) -> Iterator[Processing | None]:
    """Make the span of a message, if traces are on; it fails with the block."""
    if tracing is None:
        yield None
        return
    queue, receive_count = record.event_source_arn.rpartition(":")[2], record.attributes.approximate_receive_count
    processing = tracing.process(queue, record.message_id, int(receive_count), record.body)
    try:
        with processing.current():
            yield processing
    except Exception as exc:
        processing.end("message.refused", type(exc).__qualname__, str(exc))
        raise


def _log_fields(carried: Carried, processing: Processing | None) -> dict[str, str]:
    return carried.log_fields() | ({} if processing is None else span_ids(processing.span))


class _Processor(BatchProcessor):
    """The message boundary: any exception of a message becomes its item failure, and is logged once per receive.

    processing is the span of the message that is handled, if it has begun.
    """

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._log = logger
        self._metrics = metrics
        self.processing: Processing | None = None

    def failure_handler(self, record: Any, exception: "ExceptionInfo") -> "FailureResponse":
        """Log the failure. The queue's redrive policy moves a poison message to the dead-letter queue."""
        log_fields = {
            "message_id": record.message_id,
            "receive_count": record.attributes.approximate_receive_count,
            "reason": str(exception[1]),
            **_log_fields(Carried.by(record.body), self.processing),
        }
        if isinstance(exception[1], NotAnEvent | OutOfTimeError | IdempotencyAlreadyInProgressError):
            self._log.warning("message.refused", extra=log_fields)
        else:
            self._log.error("message.failed", extra=log_fields, exc_info=exception[1])
        self._metrics.add_metric("MessagesFailed", MetricUnit.Count, 1)
        return super().failure_handler(record, exception)
