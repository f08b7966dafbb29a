"""A morning at the counter: my_cashier.py takes twelve orders; the barista is killed at the fourth, and comes back."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from orderboard.workshop.stage import Event, Stage, StageError, function, of, play

ORDERS, LAST_BEFORE, LAST_DURING = (
    12,
    4,
    7,
)  # a cashier who collects two or three orders has one in hand when the till breaks down
_COFFEE_S: Final = 0.1
_OUTAGE_S: Final = 2.0  # a cashier who has not answered by then waits for the barista
_READY_WITHIN_S: Final = 15.0
_QUIET_S: Final = 1.0  # an order that is not on the board, and is not made by then, is lost
_PAUSE_S: Final = 0.2


class _Barista:
    """Makes what comes to the door, and what hangs on the board; one coffee at a time."""

    def __init__(self, stage: Stage, port: int, queue_url: str) -> None:
        self._stage, self._port, self._queue_url = stage, port, queue_url
        self._machine = threading.Lock()

    def run(self) -> None:
        """Work until killed."""
        barista = self

        class Door(BaseHTTPRequestHandler):
            """Answers an order once it is made."""

            def do_POST(self) -> None:
                barista.make(self.rfile.read(int(self.headers["Content-Length"])), "door")
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        server = HTTPServer(("127.0.0.1", self._port), Door)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._stage.report("here", "barista")
        self._look_at_the_board()

    def make(self, body: bytes | str, way: str) -> None:
        """Make a coffee."""
        with self._machine:
            try:
                order_id = str(json.loads(body)["order_id"])
            except (ValueError, TypeError, KeyError):
                self._stage.report("unreadable", "barista", body=str(body), way=way)
                return
            self._stage.report("begun", "barista", order=order_id, way=way)
            time.sleep(_COFFEE_S)
            self._stage.report("made", "barista", order=order_id, way=way)

    def _look_at_the_board(self) -> None:
        sqs = boto3.client("sqs")
        while True:
            try:
                received = sqs.receive_message(QueueUrl=self._queue_url, WaitTimeSeconds=2)
                for message in received.get("Messages", []):
                    self.make(message["Body"], "board")
                    sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
            except (BotoCoreError, ClientError):
                time.sleep(_PAUSE_S)


def _cashier(stage: Stage, orders: int) -> Callable[[], None]:
    """Take what comes through a pipe, one order after the other."""

    def run() -> None:
        take = function("take")
        stage.report("here", "cashier")
        while order_id := os.read(orders, 64).decode().strip():
            began = time.monotonic()
            try:
                take({"order_id": order_id, "item": "flat-white"})
            except Exception as exc:  # noqa: BLE001 - whatever it is, the customer has no coffee
                stage.report("refused", "cashier", order=order_id, error=f"{type(exc).__name__}: {exc}")
            else:
                took_ms = round((time.monotonic() - began) * 1000)
                stage.report("accepted", "cashier", order=order_id, took_ms=took_ms)

    return run


def morning(stage: Stage, queue_url: str) -> None:
    """Send the customers; kill the barista, and later the till; start both again; wait until nothing more is made."""
    port, run_id = _free_port(), uuid4().hex[:4]
    os.environ |= {"BARISTA": f"127.0.0.1:{port}", "BOARD_QUEUE_URL": queue_url}
    ids = [f"{run_id}-{number:02}" for number in range(1, ORDERS + 1)]
    barista = _Barista(stage, port, queue_url)
    _come(stage, barista)
    till = _open(stage)
    _serve(stage, till, ids[: LAST_BEFORE - 1])
    fourth = ids[LAST_BEFORE - 1]
    _order(stage, till, fourth)
    stage.until(lambda: stage.found("begun", order=fourth) or stage.found("failed"), _OUTAGE_S)
    stage.kill("barista")
    stage.report("killed", "barista")
    if _answered(stage, fourth, _OUTAGE_S):
        _serve_without_barista(stage, till, ids[LAST_BEFORE:LAST_DURING])
    stage.kill("cashier")
    stage.report("killed", "cashier")
    _come(stage, barista)
    till = _open(stage)
    _serve(stage, till, ids[LAST_DURING:])
    _wait_until_made(stage, queue_url)
    stage.report("closes", "counter", **_count(stage))
    stage.until(lambda: stage.found("closes"), _READY_WITHIN_S)


def _come(stage: Stage, barista: _Barista) -> None:
    before = len(stage.found("here", who="barista"))
    stage.start("barista", barista.run)
    _wait(stage, lambda: len(stage.found("here", who="barista")) > before, "barista", "she does not come")


def _open(stage: Stage) -> int:
    orders, till = os.pipe()
    before = len(stage.found("here", who="cashier"))
    stage.start("cashier", _cashier(stage, orders))
    _wait(stage, lambda: len(stage.found("here", who="cashier")) > before, "cashier", "its import does not end")
    return till


def _order(stage: Stage, till: int, order_id: str) -> None:
    stage.report("comes", "customer", order=order_id)
    os.write(till, f"{order_id}\n".encode())


def _serve(stage: Stage, till: int, ids: list[str]) -> None:
    for order_id in ids:
        _order(stage, till, order_id)
        if not _answered(stage, order_id, _READY_WITHIN_S):
            raise StageError("cashier", f"take does not return (order {order_id}), although the barista is there")


def _serve_without_barista(stage: Stage, till: int, ids: list[str]) -> None:
    for order_id in ids:
        _order(stage, till, order_id)
        if not _answered(stage, order_id, _OUTAGE_S):
            return  # the others wait behind this one


def _answered(stage: Stage, order_id: str, within_s: float) -> bool:
    return stage.until(
        lambda: any(stage.found(step, order=order_id) for step in ("accepted", "refused")) or stage.found("failed"),
        within_s,
    )


def _wait(stage: Stage, condition: Callable[[], object], who: str, otherwise: str) -> None:
    if not stage.until(lambda: condition() or stage.found("failed"), _READY_WITHIN_S):
        raise StageError(who, otherwise)


def _wait_until_made(stage: Stage, queue_url: str) -> None:
    sqs = boto3.client("sqs")

    def left() -> set[str]:
        return set(of(stage.events, "accepted", "order")) - set(of(stage.events, "made", "order"))

    def on_the_board() -> bool:
        found = sqs.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return any(int(each) for each in found.values())

    seen = -1
    while left() and (len(stage.events) > seen or on_the_board()):
        seen = len(stage.events)
        stage.until(lambda before=seen: len(stage.events) > before, _QUIET_S)  # type: ignore[misc]


def _count(stage: Stage) -> dict[str, Any]:
    """Compare what was accepted with what was made. refused: the errors. waited: for the barista at her door."""
    accepted = list(dict.fromkeys(of(stage.events, "accepted", "order")))
    refused = {each["order"]: each["error"] for each in stage.found("refused")}
    made = set(of(stage.events, "made", "order"))
    steps = [(each["step"], each.get("order"), each.get("way")) for each in stage.events]
    return {
        "accepted": accepted,
        "refused": refused,
        "waiting": [each for each in of(stage.events, "comes", "order") if each not in {*accepted, *refused}],
        "waited": [
            each for each in accepted if ("made", each, "door") in steps[: steps.index(("accepted", each, None))]
        ],
        "lost": [each for each in accepted if each not in made],
        "unreadable": of(stage.events, "unreadable", "body")[:1],
        "slowest_ms": max(of(stage.events, "accepted", "took_ms"), default=0),
    }


_WORDS: Final = {
    "comes": "customer  {order}: a flat white, please",
    "accepted": "cashier   {order} accepted, after {took_ms} ms",
    "refused": "cashier   {order} REFUSED: {error}",
    "begun": "barista   {order} begun, from the {way}",
    "made": "barista   {order} made",
    "unreadable": "barista   cannot read {body!r}",
    "here": "{who:9} is here",
    "killed": "{who:9} is KILLED",
    "failed": "{who:9} cannot work: {error}",
}


def _describe(event: Event) -> str:
    if event["step"] != "closes":
        return _WORDS[event["step"]].format(**event)
    counts = ", ".join(f"{len(event[name])} {name}" for name in ("accepted", "refused", "waiting", "lost"))
    waited = f"{len(event['waited'])} were answered only after the coffee was made"
    return f"The counter closes: {counts}; {waited}. The slowest answer took {event['slowest_ms']} ms."


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    play(morning, _describe, file="my_cashier.py", queue="board")
