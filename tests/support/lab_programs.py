"""Helpers for tests of generated programs: experiments, and the checks that a program must print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from orderboard.lab import Experiment, Joined, Json, LongText, Name
from orderboard.lab.catalogue import Entry, everything, find
from orderboard.lab.program import Program
from orderboard.lab.steps import Call, Check, Each, Step

ODD: Final = """It's "odd": $HOME `id` \\n {braces} é 🍵, a=b;c|d & more!"""

RECORDED = [each for each in everything() if not isinstance(each.experiment, Program)]


def covering(entries: Sequence[Entry]) -> list[Entry]:
    """A few experiments that together have every kind of step, action and comparison of all of them."""
    left, chosen = {entry.name: _features(entry) for entry in entries}, []
    while missing := set().union(*left.values()):
        best = max(entries, key=lambda entry: len(left[entry.name] & missing))
        chosen.append(best)
        found = left[best.name]
        left = {name: features - found for name, features in left.items()}
    return chosen


def _features(entry: Entry) -> set[str]:
    features: set[str] = set()
    for step in entry.experiment.all_steps():
        features.add(type(step).__name__)
        call = step if isinstance(step, Call) else getattr(step, "call", None)
        if isinstance(call, Call):
            features |= {f"{call.service} {call.operation}", *(f"{call.operation} {name}" for name in call.parameters)}
        if isinstance(step, Check):
            features.add(step.holds)
    return features


def all_hold(entry: Entry) -> list[str]:
    """The lines by which a program says that each check holds, in the order of the steps."""
    return [f"  ok       {each.text}" for each in _taken(entry.experiment.steps)]


def verdicts(output: str) -> list[str]:
    """The lines of a program's output that are about checks."""
    return [line for line in output.splitlines() if line.startswith(("  ok", "  DIFFERS"))]


def with_wrong_expectation() -> tuple[Entry, list[str]]:
    """An experiment whose second check expects what is not there, and what a program prints about its checks."""
    entry = find("sqs-delay-fifo")
    steps, checks = entry.experiment.steps, entry.experiment.checks
    steps[steps.index(checks[1])] = replace(checks[1], expected=["espresso", "flat white"])
    return entry, [all_hold(entry)[0], f"  DIFFERS  {checks[1].text}: found espresso"]


def with_odd_texts() -> Entry:
    """An experiment whose texts, names and values are such as Python, bash, JSON and the CLI give a meaning to."""
    lab = Experiment(
        claim='Texts with \'quotes\', """ and \\ stay.', source="https://docs.aws.amazon.com/", means="It's $0."
    )
    producer, consumer = lab.actor("say"), lab.actor("check")
    orders, other = lab.queue("class", VisibilityTimeout=0), lab.queue("value", fifo=True)
    lab.step(f"Now {ODD} is sent, in a sentence that is too long for one line of a program and is split there.")
    attributes = {"a-b": {"DataType": "String", "StringValue": ODD}}
    producer.sqs.send_message(QueueUrl=orders.url, MessageBody=ODD, MessageAttributes=attributes)
    got = consumer.sqs.receive_message(QueueUrl=orders.url, MessageAttributeNames=["All"], WaitTimeSeconds=1)
    lab.check("It's the same", got.body, ODD)
    lab.check("So is $the attribute", got['Messages[0].MessageAttributes."a-b".StringValue'], ODD)
    lab.check("Nothing else is there", got["Messages[0].Attributes.SenderId"], "")
    lab.check("The list is that of one", got.bodies, [ODD])
    joined = Joined((got.body, "-", Name("x"), "- 'a'"))
    entries = [
        {"Id": "a", "MessageBody": Json({"x": got.body, "l": [True, None, 1.5]})},
        {"Id": "b", "MessageBody": joined},
    ]
    producer.sqs.send_message_batch(QueueUrl=orders.url, Entries=entries)
    received = consumer.receive_all(orders.url, count=3, idle_s=0)
    lab.check("The text is one of three", received, ODD, "contains")

    producer.sqs.send_message(QueueUrl=orders.url, MessageBody=LongText("y", 200_000))
    long = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=1)
    lab.check("It is long", long.keep("length(Messages[0].Body)", "length"), 200_000)
    with lab.each("in", ["it's", '$d"e']) as item, lab.each("count", ["1", "2"]) as number:
        group = Joined(("g", number))
        body = Json({"item": item, "number": number})
        producer.sqs.send_message(
            QueueUrl=other.url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=Joined((number, "x"))
        )
    lab.check(
        "A number is sent once", consumer.receive_all(other.url, count=2, idle_s=0, path="length(Body)"), ["31", "31"]
    )
    refused = producer.sqs.send_message(QueueUrl=orders.url, MessageBody="-5", DelaySeconds=-1)
    lab.check("It is refused", refused.error, ["InvalidParameterValue", "InvalidParameterValueException"], "is one of")
    lab.check("It has no id", refused["MessageId"], "")
    slow = consumer.sqs.receive_message(QueueUrl=orders.url, WaitTimeSeconds=-7)
    lab.start(slow)
    lab.finish(slow)
    lab.check("A call in the background fails", slow.error, "", "is not")
    seen = lab.you.sqs.get_queue_attributes(QueueUrl=orders.url, AttributeNames=["All"])
    lab.until(seen, seen.keep("Attributes.DelaySeconds", "delay"), "5", "is not")
    return Entry("sqs-odd", "sqs", 'A title with "quotes" and a \\', Path("odd.py"), lab)


def _taken(steps: Sequence[Step]) -> Iterator[Check]:
    """The checks in the order in which they are made: those of a loop for each item."""
    for step in steps:
        match step:
            case Check():
                yield step
            case Each(_, items, inner):
                for _ in items:
                    yield from _taken(inner)
            case _:
                pass
