"""The comparison of SQS, SNS and EventBridge that courses teach, with a verdict for each cell and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """A judgement on what is taught."""

    TRUE = "true"
    CATCH = "true with a catch"
    WRONG = "wrong"


@dataclass(frozen=True)
class Cell:
    """A cell of the table. taught: the statement in short. experiments: the names of those that show what is right."""

    aspect: str
    service: str
    taught: str
    verdict: Verdict
    right: str
    experiments: tuple[str, ...]


_SQS, _SNS, _EVENTS = "SQS", "SNS", "EventBridge"

CELLS: Final = (
    Cell(
        "Delivery",
        _SQS,
        "Consumers pull.",
        Verdict.CATCH,
        "Consumers poll; an event source mapping polls for a Lambda function, so that to the function it is a push.",
        ("sqs-long-polling", "functions-event-source-mapping"),
    ),
    Cell(
        "Delivery",
        _SNS,
        "A topic pushes to its subscribers.",
        Verdict.TRUE,
        "A topic delivers each message at once to every subscription.",
        ("sns-fan-out",),
    ),
    Cell(
        "Delivery",
        _EVENTS,
        "A bus pushes to targets, by rules.",
        Verdict.TRUE,
        "Every rule that matches delivers the event to each of its targets.",
        ("events-many-consumers",),
    ),
    Cell(
        "Consumers",
        _SQS,
        "One consumer.",
        Verdict.CATCH,
        "Any number of consumers share a queue; one message is with one of them at a time, and may come twice.",
        ("sqs-competing-consumers", "sqs-at-least-once"),
    ),
    Cell(
        "Consumers",
        _SNS,
        "Many: each gets a copy.",
        Verdict.TRUE,
        "Each subscription whose filter policy accepts the message gets a copy.",
        ("sns-fan-out", "sns-filter-by-attribute"),
    ),
    Cell(
        "Consumers",
        _EVENTS,
        "Many: each rule that matches.",
        Verdict.TRUE,
        "Rules do not compete; a rule has up to five targets.",
        ("events-many-consumers",),
    ),
    Cell(
        "Durability",
        _SQS,
        "Durable, up to 14 days.",
        Verdict.CATCH,
        "The default is 4 days, and a dead-letter queue of a standard queue counts from the first send.",
        ("sqs-retention", "sqs-dead-letter-retention"),
    ),
    Cell(
        "Durability",
        _SNS,
        "Fire and forget: nothing is kept.",
        Verdict.CATCH,
        "A message is kept until it is delivered or its retries end; a FIFO topic can archive it for 365 days.",
        ("sns-late-subscriber", "sns-http-retries", "sns-archive-and-replay"),
    ),
    Cell(
        "Durability",
        _EVENTS,
        "Not durable.",
        Verdict.CATCH,
        "An event that no rule matches is gone, unless an archive keeps it; a delivery is retried for 24 hours. The "
        "newer Custom Event Bus retains events for up to 365 days.",
        ("events-no-rule", "events-retries", "events-archive-and-replay"),
    ),
    Cell(
        "A consumer is away",
        _SQS,
        "The messages wait.",
        Verdict.TRUE,
        "They wait until the retention period ends.",
        ("coupling-outage", "sqs-retention"),
    ),
    Cell(
        "A consumer is away",
        _SNS,
        "The subscriber loses the message.",
        Verdict.WRONG,
        "A queue is never away. SNS retries queues and functions for 23 days and HTTP endpoints by their delivery "
        "policy (a minute by default, an hour at most), and then uses the subscription's dead-letter queue, if it has "
        "one.",
        ("sns-queue-subscriber-away", "sns-http-retries", "sns-dead-letters"),
    ),
    Cell(
        "A consumer is away",
        _EVENTS,
        "The target misses the event.",
        Verdict.WRONG,
        "EventBridge retries for 24 hours and up to 185 times (not if the target was deleted), and then uses the "
        "target's dead-letter queue, if it has one.",
        ("events-retries", "events-dead-letters"),
    ),
    Cell(
        "Order",
        _SQS,
        "FIFO queues keep it.",
        Verdict.CATCH,
        "They keep it within a message group, where one stuck message holds up the rest. Standard queues only try.",
        ("sqs-fifo-order", "sqs-stuck-group", "sqs-reordering"),
    ),
    Cell(
        "Order",
        _SNS,
        "Only from FIFO topics to FIFO queues.",
        Verdict.CATCH,
        "That is the only way to keep order; but standard queues may subscribe to FIFO topics too, without it.",
        ("sns-fifo-to-fifo", "sns-fifo-to-standard", "sns-standard-to-fifo"),
    ),
    Cell(
        "Order",
        _EVENTS,
        "None.",
        Verdict.CATCH,
        "A bus with rules promises none. The newer Custom Event Bus has FIFO subscribers, which keep it in a group.",
        ("events-no-order",),
    ),
    Cell(
        "Filtering",
        _SQS,
        "Simple, by attributes.",
        Verdict.WRONG,
        "A receive cannot select. Filter before the queue (SNS, EventBridge) or behind it (an event source mapping).",
        ("sqs-no-selection", "functions-filter-criteria"),
    ),
    Cell(
        "Filtering",
        _SNS,
        "Filter policies.",
        Verdict.CATCH,
        "They read the attributes or, if so set, the body; what no policy accepts is gone without an error.",
        ("sns-filter-by-attribute", "sns-filter-by-body", "sns-withheld-in-silence"),
    ),
    Cell(
        "Filtering",
        _EVENTS,
        "By content.",
        Verdict.CATCH,
        "Patterns read the whole event, at any depth; types and case must agree, and what does not match is silent.",
        ("events-pattern-nested", "events-pattern-numeric", "events-why-it-did-not-match"),
    ),
    Cell(
        "Largest message",
        _SQS,
        "256 KB.",
        Verdict.WRONG,
        "1 MiB.",
        ("sqs-message-size",),
    ),
    Cell(
        "Largest message",
        _SNS,
        "256 KB.",
        Verdict.CATCH,
        "That is the default; the topic's attribute MaximumMessageSize allows up to 1 MiB.",
        ("sns-message-size",),
    ),
    Cell(
        "Largest message",
        _EVENTS,
        "256 KB.",
        Verdict.WRONG,
        "1 MB for all entries of a request together.",
        ("events-input-size",),
    ),
    Cell(
        "Coupling",
        "all",
        "A tightly coupled component that fails takes its callers with it.",
        Verdict.TRUE,
        "With a queue between them callers go on, and the work is done later; the answer then says accepted, not done.",
        ("coupling-tight-or-loose", "coupling-outage", "coupling-burst"),
    ),
)
