"""The meaning of each control's effect, in a sentence or two, with the page that describes it, mostly AWS's."""

from typing import Final, NamedTuple

_SQS: Final = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide"
_SNS: Final = "https://docs.aws.amazon.com/sns/latest/dg"
_EVENTS: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide"
_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg"


class Meaning(NamedTuple):
    """A text, and the page's title and address."""

    text: str
    title: str
    url: str


_VISIBILITY: Final = ("SQS: visibility timeout", f"{_SQS}/sqs-visibility-timeout.html")
_DEAD: Final = ("SQS: dead-letter queues", f"{_SQS}/sqs-dead-letter-queues.html")
_SCALING: Final = ("SQS: more consumers", f"{_SQS}/sqs-throughput-horizontal-scaling-and-batching.html")
_AT_LEAST_ONCE: Final = ("SQS: at-least-once delivery", f"{_SQS}/standard-queues-at-least-once-delivery.html")
_RETRIES: Final = ("AWS SDKs: retries", "https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html")

# Controls by name. worker stands for each worker, queue for each queue.
MEANINGS: Final = {
    "normal": Meaning(
        "order-api answers as soon as SNS and EventBridge have the order. A worker makes it later.",
        "SNS: fan-out to queues",
        f"{_SNS}/sns-sqs-as-subscriber.html",
    ),
    "express": Meaning(
        "The subscription's filter policy sends express orders to the express queue.",
        "SNS: filter policies",
        f"{_SNS}/sns-subscription-filter-policies.html",
    ),
    "large": Meaning(
        "A rule matches the total in the event, and its target, the alerts queue, receives it too.",
        "EventBridge: event patterns",
        f"{_EVENTS}/eb-event-patterns.html",
    ),
    "duplicate": Meaning(
        "Both requests have one Idempotency-Key, so they are one order: any retry is safe.",
        "AWS: idempotent APIs",
        "https://aws.amazon.com/builders-library/making-retries-safe-with-idempotent-APIs/",
    ),
    "cancel": Meaning(
        "The cancellation travels in another queue. It may overtake the order: then a tombstone waits for it.",
        "SQS: order of standard queues",
        f"{_SQS}/standard-queues.html",
    ),
    "flaky": Meaning(
        "The first try fails. The message stays hidden for a while, is received again, and then succeeds.",
        *_VISIBILITY,
    ),
    "slow": Meaning(
        "This order takes a second longer. The worker extends its visibility timeout, so no other one receives it.",
        *_VISIBILITY,
    ),
    "poison": Meaning(
        "Every try fails. After maxReceiveCount receives SQS moves it to the dead-letter queue; others go on.",
        *_DEAD,
    ),
    "cancel-order": Meaning(
        "A request, not a command: the worker refuses it when the order is made already, and says so in an event.",
        "SQS: order of standard queues",
        f"{_SQS}/standard-queues.html",
    ),
    "burst": Meaning(
        "order-api accepts them at its own speed, the queue absorbs what the workers cannot make yet.",
        *_SCALING,
    ),
    "stream": Meaning(
        "While the workers keep up, the queues stay empty; else they grow, and order-api does not notice.", *_SCALING
    ),
    "worker.stop": Meaning(
        "SIGTERM: it receives no more, finishes what it holds, and ends. Orders wait in the queue.", *_VISIBILITY
    ),
    "worker.start": Meaning("It polls the same queues as the others: competing consumers share the work.", *_SCALING),
    "worker.freeze": Meaning(
        "It cannot extend what it holds, so those messages become visible again and another worker receives them.",
        *_VISIBILITY,
    ),
    "worker.thaw": Meaning(
        "It continues with messages whose receipt may have expired. Each order is still recorded once.",
        *_AT_LEAST_ONCE,
    ),
    "worker.kill": Meaning(
        "SIGKILL: it says nothing. What it held becomes visible when the visibility timeout ends; nothing is lost.",
        *_VISIBILITY,
    ),
    "workers": Meaning(
        "Each worker polls the same queues. Two workers drain a backlog in about half the time.", *_SCALING
    ),
    "preparation": Meaning(
        "The workers are replaced and take longer for each order: below the rate of arrivals the queue grows.",
        *_SCALING,
    ),
    "queue-settings": Meaning(
        "A received message that is not deleted becomes visible after the visibility timeout; after maxReceiveCount "
        "receives it moves to the dead-letter queue.",
        *_VISIBILITY,
    ),
    "queue.redrive": Meaning(
        "The messages move back to the queue that they came from and are tried again.",
        "SQS: redrive",
        f"{_SQS}/sqs-configure-dead-letter-queue-redrive.html",
    ),
    "queue.purge": Meaning(
        "Every message is deleted, for good. SQS cannot bring it back.",
        "SQS: purge",
        f"{_SQS}/sqs-using-purge-queue.html",
    ),
    "mapping": Meaning(
        "The event source mapping polls for the function. Paused, it leaves the alerts in their queue.",
        "Lambda: SQS event source",
        f"{_LAMBDA}/with-sqs.html",
    ),
    "replay": Meaning(
        "The archive sends its events through the rules again. Consumers see them twice and must not act twice.",
        "EventBridge: replay",
        f"{_EVENTS}/eb-replay-archived-event.html",
    ),
    "delivery-faults": Meaning(
        "AWS promises at least one delivery, in about the order sent. With this, localbus uses that freedom.",
        *_AT_LEAST_ONCE,
    ),
    "faults": Meaning(
        "Calls fail as AWS's may. The SDK and the services retry; an error after the action makes a duplicate.",
        *_RETRIES,
    ),
    "clock": Meaning(
        "Timeouts, delays and retention end at once, without waiting.",
        "SQS: message retention",
        f"{_SQS}/sqs-basic-architecture.html",
    ),
    "kill-api": Meaning("Clients retry with the same Idempotency-Key, so no order is lost or made twice.", *_RETRIES),
    "kill-backend": Meaning(
        "The engine starts again with everything that it acknowledged; services and clients retry.", *_RETRIES
    ),
    "reset-proof": Meaning(
        "Earlier orders are no longer counted; those on their way still arrive.",
        *_AT_LEAST_ONCE,
    ),
}
