"""What of a queue's attributes the queue itself goes by."""

from __future__ import annotations

from dataclasses import dataclass

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
MAX_IN_FLIGHT = 120_000
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
MAX_VISIBILITY_TIMEOUT_S = 43_200


@dataclass
class Settings:
    """Defaults are AWS's.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """

    visibility_timeout_s: int = 30
    delay_s: int = 0
    retention_s: int = 345_600
    receive_wait_s: int = 0
    max_message_bytes: int = 1_048_576
    max_receive_count: int | None = None
