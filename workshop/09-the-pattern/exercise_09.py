"""The pattern: a rule that matches neither too few events nor too many, and that may deliver them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding
from orderboard.workshop.stacks import deploy_template, deploy_text

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

FILE: Final = "my_baker.yaml"
_PROBE: Final = "orderboard.workshop.probe"
_PLACED: Final = "orderboard.order.placed.v1"


@dataclass(frozen=True)
class Order:
    """An order near the border. wanted: the baker needs a ticket for it."""

    about: str
    wanted: bool
    customer: str
    lines: Mapping[str, int]
    priority: str = "normal"

    def body(self) -> dict[str, object]:
        """Return the body of POST /orders."""
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in self.lines.items()]
        return {"customer_id": self.customer, "lines": lines, "priority": self.priority}


ORDERS: Final = (
    Order("grace's 3 croissants, 20.00 € in all", True, "grace", {"croissant": 3, "tea": 1, "americano": 3}),
    Order("adam's express order of 10 croissants, 26.00 €", True, "adam", {"croissant": 10}, "express"),
    Order("barbara's 2 espressos and 50 croissants, 134.80 €", True, "barbara", {"espresso": 2, "croissant": 50}),
    Order("grace's 3 croissants, 19.90 €", False, "grace", {"croissant": 3, "cappuccino": 1, "filter-coffee": 3}),
    Order("ada's 10 croissants, 26.00 €", False, "ada", {"croissant": 10}),
    Order("alan's 2 croissants and 5 teas, 21.20 €", False, "alan", {"croissant": 2, "tea": 5}),
    Order("alan's 10 espressos, 24.00 €", False, "alan", {"espresso": 10}),
)
# Events that say the same as an order for 10 croissants: about, source, detail type.
EVENTS: Final = (
    ("an order of a rehearsal, not of order-api", "orderboard.rehearsal", _PLACED),
    ("an offer of order-api that nobody has ordered yet", "orderboard.order-api", "orderboard.order.offered.v1"),
)


def deploy(board: Board) -> str:
    """Deploy the rule, the queue and its policy."""
    return deploy_template(board, FILE, _name(board))


def prepare(board: Board) -> None:
    """Deploy the rule that matches nothing."""
    deploy_text(board, (board.folder / "start" / FILE).read_text(), _name(board), FILE)


def check(board: Board) -> Iterator[Finding]:
    """Send orders and events near the border, and compare the tickets with those that the baker needs."""
    bus, setting = board.target.outputs.bus_name, _setting(board)
    yield setting
    if not setting.met:
        return
    after = board.last_entry()
    sent = dict(zip(board.place(*(each.body() for each in ORDERS)), ORDERS, strict=True))
    about = {id_: each.about for id_, each in sent.items()} | _put_events(board)
    wanted = {id_ for id_, each in sent.items() if each.wanted}
    matched = board.engine.entries(event="matched", resource=f"rule/{bus}/{_name(board)}", after=after)
    undelivered = board.engine.entries(event="undelivered", resource=_name(board), after=after)
    if undelivered:
        yield Finding(
            False,
            f"The rule matched {len(matched)} of {len(about)} events, and {len(undelivered)} of these could not be "
            f"delivered: {str(undelivered[0].detail).partition(':')[0]}. The journal of the queue says why.",
        )
        return
    tickets = {id_ for id_ in about if board.messages(_name(board), id_)}
    missing = "; ".join(about[id_] for id_ in sorted(wanted - tickets, key=list(about).index))
    yield Finding(
        not missing,
        f"The baker has {len(wanted & tickets)} of {len(wanted)} tickets that she needs"
        + (f". Missing: {missing}." if missing else "."),
    )
    needless = "; ".join(about[id_] for id_ in about if id_ in tickets - wanted)
    yield Finding(not needless, f"Needless tickets: {needless or 'none'}.")
    if wanted & tickets:
        yield _only_this_rule(board)


def _setting(board: Board) -> Finding:
    """Look for the rule, its state and its target."""
    events, bus, name = board.target.events, board.target.outputs.bus_name, _name(board)
    rules = [each for each in events.list_rules(EventBusName=bus, NamePrefix=name)["Rules"] if each["Name"] == name]
    if not rules:
        return Finding(False, f"The bus {bus} has no rule {name}. Deploy it.")
    if rules[0]["State"] != "ENABLED":
        return Finding(False, f"The rule {name} is {rules[0]['State'].lower()}.")
    targets = events.list_targets_by_rule(EventBusName=bus, Rule=name)["Targets"]
    arns = [each["Arn"] for each in targets]
    if not board.target.sqs.list_queues(QueueNamePrefix=name).get("QueueUrls"):
        return Finding(False, f"The queue {name} does not exist. Deploy it.")
    met = board.attributes(name)["QueueArn"] in arns
    found = ", ".join(arns) or "none"
    return Finding(met, f"The rule {name} is enabled; its target: {found}" + ("." if met else f"; expected: {name}."))


def _put_events(board: Board) -> dict[str, str]:
    """Put the events that are not orders on the bus; return what they are about, by their order id."""
    found: dict[str, str] = {}
    entries = []
    for about, source, detail_type in EVENTS:
        order_id = str(uuid4())
        found[order_id] = about
        lines = [{"sku": "croissant", "quantity": 10, "unit_price_cents": 260}]
        data = {"order_id": order_id, "customer_id": "alan", "priority": "normal", "lines": lines, "total_cents": 2600}
        detail = {"id": str(uuid4()), "source": source, "type": detail_type, "subject": order_id, "data": data}
        entries.append(_entry(board, source, detail_type, detail))
    board.target.events.put_events(Entries=entries)
    return found


def _only_this_rule(board: Board) -> Finding:
    """Let another rule send to the queue: its policy must refuse that."""
    events, bus, other = board.target.events, board.target.outputs.bus_name, f"{board.own}-probe"
    arn = board.attributes(_name(board))["QueueArn"]
    probe = str(uuid4())
    try:
        events.put_rule(Name=other, EventBusName=bus, EventPattern=json.dumps({"source": [_PROBE]}))
        events.put_targets(EventBusName=bus, Rule=other, Targets=[{"Id": "tickets", "Arn": arn}])
        events.put_events(Entries=[_entry(board, _PROBE, "probe", {"subject": probe})])
    finally:
        events.remove_targets(EventBusName=bus, Rule=other, Ids=["tickets"])
        events.delete_rule(EventBusName=bus, Name=other)
    open_to_others = bool(board.messages(_name(board), probe))
    return Finding(
        not open_to_others,
        "The queue's policy lets other rules send too: the check made one, and its event arrived."
        if open_to_others
        else "The queue takes the events of this rule only.",
    )


def _entry(board: Board, source: str, detail_type: str, detail: Mapping[str, Any]) -> "PutEventsRequestEntryTypeDef":
    bus = board.target.outputs.bus_name
    return {"EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}


def _name(board: Board) -> str:
    return f"{board.own}-baker"


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=deploy,
    hints=(
        "*Explain routing* on the console has a line for each field of the rule: what the event holds and what the "
        "rule wants. Correct the first ✗, `orderboard workshop deploy`, and ask again.",
        "A path starts at the top of the event: the document of order-api is in `detail`, and the order is in its "
        "`data`. A plain value in a list is that value only; for a range there is `numeric`.",
        "The rule matches, and the queue stays empty? `orderboard journal --queue orderboard-workshop-baker` has the "
        "reason. Rules send as `events.amazonaws.com`.",
    ),
    files=(FILE,),
    deploy=deploy,
)
