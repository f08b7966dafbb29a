"""The filter: a subscription that gets every order that it should, no other, and takes none from the baristas."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orderboard.workshop.board import Board
from orderboard.workshop.exercise import Exercise, Finding
from orderboard.workshop.stacks import deploy_template, deploy_text

FILE: Final = "my_loyalty.yaml"
_SOON_S: Final = 2.0  # after it an empty queue says that nothing more comes
_MADE_WITHIN_S: Final = 8.0
_ARRIVED_WITHIN_S: Final = 1.0  # SNS has sent them, for the baristas have theirs
_PLACED: Final = "orderboard.order.placed.v1"


@dataclass(frozen=True)
class Order:
    """An order near the border. wanted: the loyalty desk gets it."""

    about: str
    wanted: bool
    lines: Mapping[str, int]
    priority: str = "normal"

    def body(self) -> dict[str, object]:
        """Return the body of POST /orders."""
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in self.lines.items()]
        return {"customer_id": "ada", "lines": lines, "priority": self.priority}


ORDERS: Final = (
    Order("a normal order of 20.00 €", True, {"espresso": 4, "croissant": 4}),
    Order("a normal order of 4,450.00 €", True, {"catering-box": 50}),
    Order("an express order of 2.40 €", True, {"espresso": 1}, "express"),
    Order("an express order of 89.00 €", True, {"catering-box": 1}, "express"),
    Order("a normal order of 19.90 €", False, {"flat-white": 1, "tea": 5}),
    Order("a normal order of 3.00 €", False, {"americano": 1}),
)


def deploy(board: Board) -> str:
    """Deploy the queue, its policy and its subscription."""
    return deploy_template(board, FILE, _name(board))


def prepare(board: Board) -> None:
    """Deploy the subscription that gets nothing."""
    deploy_text(board, (board.folder / "start" / FILE).read_text(), _name(board), FILE)


def _name(board: Board) -> str:
    return f"{board.own}-loyalty"


def check(board: Board) -> Iterator[Finding]:
    """Place orders near the border, cancel one, and compare who got what."""
    try:
        board.depth(_name(board))
    except board.target.sqs.exceptions.QueueDoesNotExist:
        yield Finding(met=False, text=f"The queue {_name(board)} is gone. Deploy it: orderboard workshop deploy")
        return
    sent = dict(zip(board.place(*(each.body() for each in ORDERS)), ORDERS, strict=True))
    board.cancel(next(iter(sent)))
    if not board.eventually(lambda: _made(board, sent), within_s=_SOON_S, waiting_for="the baristas"):
        board.eventually(
            lambda: _made(board, sent) or not _under_way(board), within_s=_MADE_WITHIN_S, waiting_for="the baristas"
        )
    recorded = board.orders()
    missing = [each.about for order_id, each in sent.items() if order_id not in recorded]
    yield Finding(
        not missing,
        f"The baristas got all {len(sent)} orders."
        if not missing
        else f"The baristas did not get {_list(missing)}: {len(missing)} of {len(sent)} are missing. Has "
        "the subscription of another queue been changed, or does no worker run?",
    )
    wanted = {order_id for order_id, each in sent.items() if each.wanted}
    board.eventually(
        lambda: wanted <= {order_id for order_id, _ in _arrived(board)},
        within_s=_ARRIVED_WITHIN_S,
        waiting_for="the loyalty desk's queue",
    )
    arrived = [(order_id, kind) for order_id, kind in _arrived(board) if order_id in sent]
    orders = {order_id for order_id, kind in arrived if kind == _PLACED}
    withheld = [sent[each].about for each in sent if each in wanted - orders]
    yield Finding(
        not withheld,
        f"The loyalty desk got all {len(wanted)} orders that it should get."
        if not withheld
        else f"The loyalty desk did not get {_list(withheld)}: {len(withheld)} of {len(wanted)} are missing.",
    )
    others = [sent[each].about for each in sent if each in orders - wanted]
    others += [f"a message of the type {kind}" for _, kind in arrived if kind != _PLACED]
    yield Finding(
        bool(orders) and not others,
        f"The loyalty desk got too much: {_list(others)}."
        if others
        else f"Of {len(arrived)} messages that the loyalty desk got, none was for others."
        if orders
        else "The loyalty desk has got no order at all.",
    )


def _made(board: Board, sent: Mapping[str, Order]) -> bool:
    return board.orders().keys() >= sent.keys()


def _under_way(board: Board) -> bool:
    outputs = board.target.outputs
    return any(board.depth(name).total for name in (outputs.work_queue, outputs.express_queue))


def _arrived(board: Board) -> list[tuple[str, str]]:
    """Return the order and the event type of each message that the loyalty desk has."""
    documents = [json.loads(each.body) for each in board.messages(_name(board))]
    return [(each.get("subject", ""), each.get("type", "")) for each in documents if isinstance(each, dict)]


def _list(texts: list[str]) -> str:
    return " and ".join(texts) if len(texts) < 3 else f"{', '.join(texts[:-1])} and {texts[-1]}"


EXERCISE: Final = Exercise(
    prepare=prepare,
    check=check,
    solve=deploy,
    hints=(
        "Place an order, and ask where it ended: `orderboard journal ORDER_ID` names the key of the filter policy that "
        "stopped it. Where does a message of SNS have `total_cents`: in an attribute or in its body?",
        "Set `FilterPolicyScope: MessageBody`: now the policy describes the event itself (`type`, and below `data` the "
        "keys `priority` and `total_cents`). All keys of a policy must match; for *one of two* there is `$or`. And "
        "20.00 € is not more than 20.00 €.",
        'Below `data`: `$or: [{priority: [express]}, {total_cents: [{numeric: [">=", 2000]}]}]`, and beside `data` '
        "`type: [orderboard.order.placed.v1]`.",
    ),
    files=(FILE,),
    deploy=deploy,
)
