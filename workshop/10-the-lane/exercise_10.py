"""The lane: a FIFO queue that keeps the order of each customer's events, and where a stuck order stops nobody else."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import uuid4

from botocore.exceptions import ClientError
from orderboard.errors import UsageError
from orderboard.workshop.attendee_code import call
from orderboard.workshop.board import Board, policy
from orderboard.workshop.exercise import Exercise, Finding
from orderboard.workshop.stacks import deploy_template, deploy_text

TEMPLATE: Final = "my_lane.yaml"
SENDER: Final = "my_sender.py"
# The events in their order: the customer, the number of the order, the type. The first one fails at every attempt.
_EVENTS: Final = (
    ("grace", 1, "placed"),
    ("ada", 1, "placed"),
    ("alan", 1, "placed"),
    ("grace", 1, "paid"),
    ("ada", 1, "changed"),
    ("gordon", 1, "placed"),
    ("ada", 1, "changed"),
    ("ada", 1, "paid"),
    ("alan", 2, "placed"),
    ("grace", 2, "placed"),
)
_STUCK: Final = "grace"
_RECEIVES: Final = 3
_ROUNDS: Final = 12
_BARISTAS: Final = 2 * len(_EVENTS)
_DRAINS: Final = 200

Event: TypeAlias = Mapping[str, str]


@dataclass
class Service:
    """Receives of many baristas, each of whom takes one message at a time. sent: the events by their messages' ids."""

    board: Board
    queue: str
    sent: Mapping[str, Event]
    made: list[Event] = field(default_factory=list, init=False)
    together: list[tuple[Event, Event]] = field(default_factory=list, init=False)  # of one customer, in hand at once
    served_beside: set[str] = field(default_factory=set, init=False)  # customers, while the first event was stuck
    failures: int = field(default=0, init=False)

    def run(self) -> None:
        """Receive, make and delete in rounds, until nothing comes any more or only what fails."""
        sqs, url = self.board.target.sqs, self.board.target.queue_url(self.queue)
        for _ in range(_ROUNDS):
            served: set[str] = set()
            received = list(self._receive(url))
            events = [(self.sent.get(message["MessageId"]), message["ReceiptHandle"]) for message in received]
            self._compare([event for event, _ in events if event is not None])
            failed = [handle for event, handle in events if event is not None and event["id"] == self._stuck]
            for event, handle in events:
                if handle in failed:
                    continue
                sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
                if event is not None:
                    self.made.append(event)
                    served.add(event["customer"])
            for handle in failed:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
            if failed:
                self.failures += 1
                self.served_beside |= served
            if not received:
                return

    @property
    def _stuck(self) -> str:
        return next(iter(self.sent.values()))["id"]

    def _receive(self, url: str) -> Iterator[Mapping[str, Any]]:
        for _ in range(_BARISTAS):
            found = self.board.target.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=1, WaitTimeSeconds=0, VisibilityTimeout=30
            )
            if not found.get("Messages"):
                return
            yield found["Messages"][0]

    def _compare(self, in_hand: Sequence[Event]) -> None:
        first: dict[str, Event] = {}
        for event in in_hand:
            other = first.setdefault(event["customer"], event)
            if other["id"] != event["id"]:
                self.together.append((other, event))


def deploy(board: Board) -> str:
    """Deploy the lane."""
    return deploy_template(board, TEMPLATE, f"{board.own}-lane")


def prepare(board: Board) -> None:
    """Deploy the queue that keeps no order."""
    deploy_text(board, (board.folder / "start" / TEMPLATE).read_text(), f"{board.own}-lane", TEMPLATE)


def check(board: Board) -> Iterator[Finding]:
    """Send the events of several customers, each twice, and receive them as many baristas do."""
    queue = f"{board.own}-lane.fifo"
    setting = _setting(board, queue)
    yield setting
    if not setting.met:
        return
    _drain(board, queue)
    events = _events()
    try:
        sent = _send(board, queue, events)
    except ClientError as exc:
        yield Finding(False, f"SQS refused a message of {SENDER}: {exc}")
        return
    yield _once(board, queue, events, sent)
    service = Service(board, queue, sent)
    service.run()
    yield _in_order(service, events)
    yield _not_stopped(service, events)
    yield _set_aside(board, service, events)
    _drain(board, queue)


def _setting(board: Board, queue: str) -> Finding:
    found = board.target.sqs.list_queues(QueueNamePrefix=f"{board.own}-lane").get("QueueUrls", [])
    names = [url.rpartition("/")[2] for url in found]
    if queue in names:
        return Finding(True, f"The lane {queue} is a FIFO queue.")
    return Finding(False, f"A FIFO queue {queue} was not found; there is: {', '.join(names) or 'nothing'}.")


def _events() -> list[Event]:
    run = uuid4().hex[:6]
    return [
        {"id": f"{run}-{number}", "type": kind, "order": f"{customer}-{run}-{order}", "customer": customer}
        for number, (customer, order, kind) in enumerate(_EVENTS, start=1)
    ]


def _send(board: Board, queue: str, events: Sequence[Event]) -> dict[str, Event]:
    """Send each event, and send it again; return the events by the ids that SQS gave their messages."""
    attempts = [{**event, "sent_at": f"{datetime.now(UTC):%H:%M:%S}.{n}"} for event in events for n in (101, 202)]
    messages = call(board.files / SENDER, "message", [[each] for each in attempts])
    url, sent = board.target.queue_url(queue), dict[str, Event]()
    shape: Any = board.target.sqs.meta.service_model.operation_model("SendMessage").input_shape
    known = set(shape.members)
    for event, message in zip(attempts, messages, strict=True):
        if not isinstance(message, dict):
            raise UsageError(f"{SENDER}: message returned {message!r:.60}; expected the parameters of SendMessage.")
        if unknown := set(message) - known:
            raise UsageError(
                f"{SENDER}: SendMessage has no parameter {min(unknown)}; it has {', '.join(sorted(known))}."
            )
        answer = board.target.sqs.send_message(**{**message, "QueueUrl": url})
        sent.setdefault(answer["MessageId"], event)
    return sent


def _once(board: Board, queue: str, events: Sequence[Event], sent: Mapping[str, Event]) -> Finding:
    bodies = {each.message_id: each.body for each in board.messages(queue)}
    copies = Counter(event["id"] for id_, event in sent.items() if id_ in bodies)
    unread = [event for id_, event in sent.items() if id_ in bodies and not _says(bodies[id_], event)]
    twice = [_name(each) for each in events if copies[each["id"]] > 1]
    swallowed = [_name(each) for each in events if not copies[each["id"]]]
    text = f"{len(events)} events were sent, each twice, as if the answer was lost: "
    if twice:
        return Finding(False, f"{text}{len(twice)} are in the lane twice, such as {twice[0]}.")
    if swallowed:
        return Finding(False, f"{text}SQS took {len(swallowed)} for repetitions of others, such as {swallowed[0]}.")
    if unread:
        return Finding(
            False, f"{text}the body of {_name(unread[0])} has not its order and type: no barista knows what to do."
        )
    return Finding(True, f"{text}each is in the lane once.")


def _says(body: str, event: Event) -> bool:
    return event["order"] in body and event["type"] in body


def _in_order(service: Service, events: Sequence[Event]) -> Finding:
    if service.together:
        one, other = service.together[0]
        return Finding(
            False, f"Two baristas had {_name(one)} and {_name(other)} in hand at once: nothing keeps their order."
        )
    for customer in {each["customer"] for each in events}:
        wanted = [each["id"] for each in events if each["customer"] == customer]
        made = [each["id"] for each in service.made if each["customer"] == customer]
        if made != sorted(made, key=wanted.index):
            return Finding(False, f"The events of {customer} were made in another order: {', '.join(made)}.")
    return Finding(True, "No customer's events were in two hands at once, and each were made in their order.")


def _not_stopped(service: Service, events: Sequence[Event]) -> Finding:
    stopped = sorted({each["customer"] for each in events} - {_STUCK} - service.served_beside)
    text = f"The first event of {_STUCK} failed {service.failures} times. "
    if stopped:
        return Finding(False, f"{text}Until it was out of the way, nothing was made for {' and '.join(stopped)}.")
    return Finding(True, f"{text}Meanwhile the orders of all others were made.")


def _set_aside(board: Board, service: Service, events: Sequence[Event]) -> Finding:
    redrive = policy(board.attributes(service.queue).get("RedrivePolicy", ""))
    dlq = str(redrive.get("deadLetterTargetArn", "")).rpartition(":")[2]
    dead = {each.message_id for each in board.messages(dlq)} if dlq else set()
    stuck = next((id_ for id_, event in service.sent.items() if event["id"] == events[0]["id"]), "")
    made = {each["id"] for each in service.made}
    behind = [each for each in events[1:] if each["customer"] == _STUCK and each["id"] not in made]
    if stuck not in dead:
        return Finding(
            False, f"{_name(events[0])} fails for ever: received {service.failures} times, and no queue takes it away."
        )
    return Finding(
        not behind and service.failures == _RECEIVES,
        f"{_name(events[0])} is in {dlq} after {service.failures} receives (expected: {_RECEIVES}), and "
        + ("what was behind it is made." if not behind else f"{_name(behind[0])} was not made."),
    )


def _name(event: Event) -> str:
    return f"{event['customer']}'s event {event['id']} ({event['type']}, order {event['order'][-1]})"


def _drain(board: Board, queue: str) -> None:
    """Delete what earlier checks and trials left in the lane."""
    sqs, url = board.target.sqs, board.target.queue_url(queue)
    for _ in range(_DRAINS):
        batch = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
        if not batch:
            return
        for each in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=deploy,
    hints=(
        "A FIFO queue keeps the order within a *message group*, and each group has its own line: in what must the "
        "order hold, and between what not? The group of each message is chosen in `my_sender.py`.",
        "A group waits for its first message as long as that is in the queue: after a few receives it must go to a "
        "dead-letter queue, which is a FIFO queue too. A deduplication id is the same at each attempt to send an "
        "event, and differs between events.",
        "Template: `FifoQueue: true`, names that end in `.fifo`, and a `RedrivePolicy` with `maxReceiveCount: 3`. "
        'Sender: the group is `event["customer"]`, the deduplication id `event["id"]`.',
    ),
    files=(TEMPLATE, SENDER),
    deploy=deploy,
)
