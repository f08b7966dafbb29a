"""`orderboard peek`, `send`, `publish`, `put-event`: single messages and events, by hand."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption, YesOption
from orderboard.errors import RigError, UsageError
from orderboard.system.command_line import orderboard
from orderboard.terminal.progress import print_json, result_console

if TYPE_CHECKING:
    from orderboard.orders.browse import StoredMessage
    from orderboard.resources.account import Account
    from orderboard.resources.messages import Sent

PEEK_EXAMPLES: Final = ("orderboard peek work", "orderboard peek work-dlq --containing 9b2d1f0e --json")
SEND_EXAMPLES: Final = (
    "orderboard send inbox 'hello' --attribute priority=express --delay 30s",
    "orderboard send http://127.0.0.1:4566/000000000000/mine.fifo 'hello' --group ada",
    "orderboard send work - < body.json",
)
PUBLISH_EXAMPLES: Final = (
    "orderboard publish alerts 'The milk is out' --subject Stock",
    "orderboard publish orders '{}' --attribute event_type=orderboard.order.placed.v1 --attribute total:Number=450",
)
PUT_EVENT_EXAMPLES: Final = (
    """orderboard put-event --source shop --detail-type opened '{"city": "Zurich"}'""",
    """orderboard put-event --bus default --source shop --detail-type opened '{"city": "Zurich"}' --json""",
)
_MAX_DELAY_S: Final = (
    900  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
)
_SHOWN_CHARACTERS: Final = 500

QueueArgument = Annotated[
    str, typer.Argument(help="The queue: its name in the stack, such as work or work-dlq, its own name, URL or ARN.")
]
TopicArgument = Annotated[
    str, typer.Argument(help="The topic: its name in the stack, such as orders or alerts, its own name or ARN.")
]
BodyArgument = Annotated[
    str, typer.Argument(help="The body; - reads it from standard input, and one that begins with a dash goes after --.")
]
DetailArgument = Annotated[
    str, typer.Argument(help="The event's detail, a JSON object; - reads it from standard input.")
]
AttributeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        help="A message attribute; NAME:TYPE=VALUE for Number or Binary (base64). Repeatable.",
        metavar="NAME=VALUE",
        show_default=False,
    ),
]
GroupOption = Annotated[
    str | None, typer.Option("--group", help="The message group.", metavar="GROUP", show_default=False)
]
DeduplicationOption = Annotated[
    str | None, typer.Option("--deduplication-id", help="The deduplication id.", metavar="ID", show_default=False)
]


def peek(
    queue: QueueArgument,
    *,
    containing: Annotated[
        str, typer.Option(help="Show only messages whose body contains this text.", metavar="TEXT", show_default=False)
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="The number of messages to show.", metavar="N")] = 10,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show the messages of a queue without receiving them: no receive is counted, and nothing is hidden."""
    from orderboard.orders.browse import BrowseUnavailableError, browse
    from orderboard.resources.account import Account
    from orderboard.system.localbus import now_at

    found = Account.connect(backend, endpoint_url, stack_name).queue(queue)
    endpoint = found.connection.endpoint
    try:
        messages = browse(endpoint, found.address, containing)
    except BrowseUnavailableError as exc:
        raise RigError(str(exc)) from exc
    if json_output:
        shown = [each.document() for each in messages[:limit]]
        print_json({"queue": found.name, "queue_url": found.address, "count": len(messages), "messages": shown})
        return
    show_messages(found.name, messages, limit, now_at(endpoint).timestamp(), result_console())


def show_messages(name: str, messages: "list[StoredMessage]", limit: int, now_s: float, console: Console) -> None:
    """Print the first messages, each with its state and body."""
    count = len(messages)
    total = f"{count:,} {'message' if count == 1 else 'messages'}" if count else "no messages"
    console.print(f" {name}: {total}" + (f", the first {limit}:" if count > limit else ""), markup=False)
    for each in messages[:limit]:
        state = "delayed" if each.delayed else {True: "visible", False: "in flight", None: ""}[each.visible]
        sent = "" if each.sent_at_s is None else f"sent {max(0.0, now_s - each.sent_at_s):.1f} s ago"
        received = "" if each.receive_count is None else f"receive count {each.receive_count}"
        attributes = ", ".join(f"{attribute}={value}" for attribute, value in each.attributes.items())
        facts = "; ".join(filter(None, (state, sent, received, attributes)))
        body = (
            each.body if len(each.body) <= _SHOWN_CHARACTERS else f"{each.body[:_SHOWN_CHARACTERS]} ... (--json: all)"
        )
        console.print()
        console.print(Text(f" {each.message_id}  ", style="bold").append(facts, style="dim"), soft_wrap=True)
        console.print(Text(f"   {body}"), soft_wrap=True)


def send(
    queue: QueueArgument,
    body: BodyArgument,
    *,
    attribute: AttributeOption = None,
    delay: Annotated[
        str | None,
        typer.Option(help="Hide it at first, for 15 minutes at most, such as 30s.", metavar="TIME", show_default=False),
    ] = None,
    group: GroupOption = None,
    deduplication_id: DeduplicationOption = None,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Send one message to a queue. FIFO queues need --group."""
    from orderboard.option_values import parsed
    from orderboard.resources import messages

    delay_s = None if delay is None else parsed("--delay", _delay, delay)
    extras = messages.Extras(tuple(attribute or ()), group, deduplication_id)
    extras.parameters()  # its errors come before anything is contacted
    account = _account(backend, endpoint_url, stack_name, yes=yes)
    sent = messages.send(account.queue(queue), _text(body), extras, delay_s=delay_s)
    _show_sent(account, sent, endpoint_url, "Sent to", json_output=json_output)


def publish(
    topic: TopicArgument,
    body: BodyArgument,
    *,
    attribute: AttributeOption = None,
    subject: Annotated[
        str | None, typer.Option(help="The subject, which e-mail shows.", metavar="TEXT", show_default=False)
    ] = None,
    group: GroupOption = None,
    deduplication_id: DeduplicationOption = None,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Publish one message to a topic. FIFO topics need --group."""
    from orderboard.resources import messages

    extras = messages.Extras(tuple(attribute or ()), group, deduplication_id)
    extras.parameters()
    account = _account(backend, endpoint_url, stack_name, yes=yes)
    sent = messages.publish(account.topic(topic), _text(body), extras, subject=subject)
    _show_sent(account, sent, endpoint_url, "Published to", json_output=json_output)


def put_event(
    detail: DetailArgument,
    *,
    source: Annotated[str, typer.Option(help="The event's source.", metavar="SOURCE", show_default=False)],
    detail_type: Annotated[str, typer.Option(help="The event's detail-type.", metavar="TYPE", show_default=False)],
    bus: Annotated[
        str | None,
        typer.Option(help="The bus: its name or ARN.", metavar="BUS", show_default="the stack's, else default"),
    ] = None,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Put one event on a bus."""
    from orderboard.resources import messages

    text = _text(detail)
    messages.check_detail(text)
    account = _account(backend, endpoint_url, stack_name, yes=yes)
    found = account.default_bus() if bus is None else account.bus(bus)
    sent = messages.put_event(found, text, source=source, detail_type=detail_type)
    _show_sent(account, sent, endpoint_url, "Put on bus", json_output=json_output)


def _account(backend: BackendOption, endpoint_url: str | None, stack_name: str | None, *, yes: bool) -> "Account":
    from orderboard.resources.account import Account
    from orderboard.system.backends import consent

    account = Account.connect(backend, endpoint_url, stack_name)
    consent(account.endpoint, yes=yes)
    return account


def _text(argument: str) -> str:
    if argument != "-":
        return argument
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as exc:
        raise UsageError("Standard input is not text in UTF-8.") from exc


def _delay(text: str) -> int:
    from orderboard.option_values import parse_duration

    delay_s = parse_duration(text)
    if delay_s > _MAX_DELAY_S or not delay_s.is_integer():
        raise ValueError("expected whole seconds, 15 minutes at most, such as 30s or 5m")
    return int(delay_s)


def _show_sent(account: "Account", sent: "Sent", endpoint_url: str | None, verb: str, *, json_output: bool) -> None:
    if json_output:
        print_json({name: value for name, value in asdict(sent).items() if value is not None})
        return
    console = result_console()
    console.print(f" {verb} {sent.to}: {sent.message_id}", markup=False, soft_wrap=True)
    if account.endpoint.name == "embedded":
        where = "" if endpoint_url is None else f" --endpoint-url {endpoint_url}"
        command = f"{orderboard()} journal {sent.message_id}{where}"
        console.print(f" See what happens to it: {command}", markup=False, soft_wrap=True)
