"""The same shop, coupled tightly by HTTP and loosely by a queue.

A cashier takes forty orders, one every 25 ms, in two shops at the same time. In the tight shop the cashier calls the
barista over HTTP and waits for the coffee; in the loose shop the cashier sends the order to an SQS queue, from which
the barista receives it. In both shops the barista goes away in the middle, coffee in hand, and comes back.

This file runs alone, with boto3 and AWS's environment variables. For an engine of this machine:
AWS_ENDPOINT_URL=http://127.0.0.1:4566 python tight_or_loose.py
"""

from __future__ import annotations

import argparse
import json
import math
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CLAIM = (
    "A component that calls another one and waits for its answer fails with it; with a queue between them it goes on, "
    "and the work is done once the other one is back."
)
SOURCE = "https://docs.aws.amazon.com/wellarchitected/latest/framework/rel04-bp02.html"
MEANS = (
    "Answer the caller once the order is safe in a queue, and do the work later. The price: the answer says that the "
    "order is accepted, not that it is made, so the outcome needs a way back; and the consumer must bear duplicates."
)
ORDERS, EVERY_S, COFFEE_S = 40, 0.025, 0.008
AWAY = range(13, 26)  # the orders that come while the barista is away
VISIBILITY_TIMEOUT_S = 1
BARS = "▁▂▃▄▅▆▇█"


class TightBarista:
    """A barista behind HTTP: answers an order once its coffee is made. Away, the port is closed."""

    def __init__(self) -> None:
        self.made: dict[str, float] = {}
        self._away, self._one_at_a_time, self._port = threading.Event(), threading.Lock(), 0
        self.come_back()

    def come_back(self) -> None:
        """Open the port."""
        barista = self

        class Handler(BaseHTTPRequestHandler):
            """Takes an order by POST."""

            def do_POST(self) -> None:
                order = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with barista._one_at_a_time:
                    time.sleep(COFFEE_S)
                if barista._away.is_set():
                    return  # the connection ends without an answer
                barista.made[order] = time.monotonic()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        self._away.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def go_away(self) -> None:
        """Drop what is in hand, and close the port."""
        self._away.set()
        self._server.shutdown()
        self._server.server_close()

    def order(self, order: str) -> bool:
        """Order a coffee as the cashier does, and wait for it; return whether it was made."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", "/", body=order)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class LooseBarista:
    """A barista behind a queue: receives an order, makes the coffee, deletes the message."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self.made: dict[str, float] = {}
        self._sqs, self._url, self._here, self._closed = sqs, queue_url, threading.Event(), threading.Event()
        self._here.set()
        threading.Thread(target=self._work, daemon=True).start()

    def come_back(self) -> None:
        """Receive again."""
        self._here.set()

    def go_away(self) -> None:
        """Drop what is in hand: its message is not deleted, and comes back after its visibility timeout."""
        self._here.clear()

    def close(self) -> None:
        """Stop receiving for good."""
        self._closed.set()
        self._here.set()

    def order(self, order: str) -> bool:
        """Send an order as the cashier does; return whether the queue accepted it."""
        try:
            self._sqs.send_message(QueueUrl=self._url, MessageBody=order)
        except (BotoCoreError, ClientError):
            return False
        return True

    def _work(self) -> None:
        while self._here.wait() and not self._closed.is_set():
            try:
                got = self._sqs.receive_message(
                    QueueUrl=self._url, WaitTimeSeconds=1, VisibilityTimeout=VISIBILITY_TIMEOUT_S
                )
                for message in got.get("Messages", []):
                    self._make(message)
            except (BotoCoreError, ClientError):
                if not self._closed.is_set():  # else the queue is gone
                    raise

    def _make(self, message: dict[str, str]) -> None:
        time.sleep(COFFEE_S)
        if self._here.is_set():
            self.made.setdefault(message["Body"], time.monotonic())
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


class Cashier:
    """Takes orders in one shop, and measures what the guests see."""

    def __init__(self, barista: TightBarista | LooseBarista) -> None:
        self.barista = barista
        self.accepted: dict[str, float] = {}
        self.placed: dict[str, float] = {}
        self.seconds: list[float] = []

    def take(self, order: str, due: float) -> None:
        """Take an order that was due at this time."""
        self.placed[order] = due
        accepted = self.barista.order(order)
        now = time.monotonic()
        self.seconds.append(now - due)
        if accepted:
            self.accepted[order] = now

    def numbers(self) -> dict[str, float]:
        """The orders that were accepted, that failed, that nobody made; the slowest answer but for 1 %."""
        slowest = sorted(self.seconds)[math.ceil(0.99 * len(self.seconds)) - 1]
        lost = len(self.placed.keys() - self.barista.made.keys())
        failed = len(self.placed) - len(self.accepted)
        return {
            "accepted": len(self.accepted),
            "failed": failed,
            "lost": lost,
            "p99_ms": round(slowest * 1000, 1),
        }

    def marks(self) -> str:
        """A sign for each order: accepted or failed."""
        return "".join("✓" if order in self.accepted else "✗" for order in sorted(self.placed))

    def backlog(self) -> list[int]:
        """The orders that were accepted and not made, at the time of each order."""
        never = math.inf
        return [
            sum(at <= due < self.barista.made.get(order, never) for order, at in self.accepted.items())
            for _, due in sorted(self.placed.items())
        ]


class Report:
    """Prints a timeline and checks: for people, or one JSON object a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._json, self._began, self.passed = as_json, time.monotonic(), True

    def add(self, kind: str, party: str, text: str, detail: Any = None) -> None:
        """Print a moment."""
        at_s = round(time.monotonic() - self._began, 3)
        if self._json:
            moment = {"at_s": at_s, "kind": kind, "party": party, "text": text, "detail": detail}
            print(json.dumps(moment), flush=True)
        else:
            indent = "\n" if kind in {"step", "picture"} else f"  {at_s:6.2f} s  "
            print(f"{indent}{party}{': ' if party else ''}{text}", flush=True)

    def check(self, text: str, found: float, holds: str, expected: float) -> None:
        """Print whether a number is as expected."""
        passed = found >= expected if holds == "at least" else found == expected
        self.passed &= passed
        detail = {"holds": holds, "expected": expected, "found": f"{found:g}", "passed": passed}
        self.add("check", "", f"{'✓' if passed else '✗'} {text}: {found:g}" if not self._json else text, detail)


def open_shops(cashiers: list[Cashier], report: Report) -> None:
    """Take all orders in both shops at their times, with the outage in the middle."""

    def everyone(what: Callable[[Any], None]) -> None:
        for each in cashiers:
            what(each.barista)

    pending: list[Future[None]] = []
    with ThreadPoolExecutor(2 * ORDERS) as guests:
        began = time.monotonic()
        for number in range(ORDERS):
            due = began + number * EVERY_S
            if number == AWAY.start:
                everyone(lambda barista: barista.go_away())
                report.add("call", "barista", "goes away, with a coffee in hand")
            if number == AWAY.stop:
                wait(pending)
                everyone(lambda barista: barista.come_back())
                report.add("call", "barista", "comes back")
            time.sleep(max(0.0, due - time.monotonic()))
            pending += [guests.submit(each.take, f"order {number:02}", due) for each in cashiers]
    for each in pending:
        each.result()


def picture(tight: Cashier, loose: Cashier) -> tuple[str, dict[str, Any]]:
    """Both shops side by side, as text and as data. A column is an order."""
    barista = "".join("░" if number in AWAY else "█" for number in range(ORDERS))
    backlog = loose.backlog()
    bars = "".join(BARS[min(len(BARS) - 1, math.ceil(count * (len(BARS) - 1) / max(1, *backlog)))] for count in backlog)
    rows = {"barista": barista, "HTTP": tight.marks(), "queue": loose.marks(), "backlog": bars}
    numbers = {"HTTP": tight.numbers(), "queue": loose.numbers()}
    lines = [f"  {name:8} {marks}" for name, marks in rows.items()]
    lines += ["", f"  {'':8} {'accepted':>8} {'failed':>7} {'lost':>5} {'p99':>10}"]
    for name, each in numbers.items():
        counts = f"{each['accepted']:8g} {each['failed']:7g} {each['lost']:5g}"
        lines.append(f"  {name:8} {counts} {each['p99_ms']:7.1f} ms")
    late_s = max(0.0, max(loose.barista.made.values()) - max(loose.placed.values()))
    lines += ["", f"  The loose barista made the last coffee {late_s:.1f} s after the last order."]
    return "\n".join(lines), {"rows": rows, "backlog": backlog, "numbers": numbers, "late_s": late_s}


def run(sqs: Any, name: str, report: Report) -> None:
    """Open both shops, wait until the loose barista has made every order, and compare."""
    report.add("step", "", f"A cashier takes {ORDERS} orders in each of two shops, one every {EVERY_S * 1000:g} ms.")
    url = sqs.create_queue(QueueName=f"{name}-orders")["QueueUrl"]
    tight_barista, loose_barista = TightBarista(), LooseBarista(sqs, url)
    try:
        tight, loose = Cashier(tight_barista), Cashier(loose_barista)
        open_shops([tight, loose], report)
        report.add("step", "", "The shops close. The loose barista works off the backlog.")
        deadline = time.monotonic() + 30
        while loose.accepted.keys() - loose_barista.made.keys() and time.monotonic() < deadline:
            time.sleep(0.01)
        report.add("picture", "", *picture(tight, loose))
    finally:
        tight_barista.go_away()
        loose_barista.close()
        sqs.delete_queue(QueueUrl=url)
    http, queue = tight.numbers(), loose.numbers()
    report.check("Over HTTP orders fail while the barista is away", http["failed"], "at least", 1)
    report.check("Nobody makes them later", http["lost"], "at least", http["failed"])
    report.check(
        "Over HTTP the cashier waits for the coffee (p99, ms)", int(http["p99_ms"]), "at least", int(COFFEE_S * 1000)
    )
    report.check("By the queue every order is accepted", queue["accepted"], "is", ORDERS)
    report.check("None fails", queue["failed"], "is", 0)
    report.check("None is lost, not even the coffee in hand", queue["lost"], "is", 0)


def main() -> int:
    """Run the experiment; return 1 if the claim does not hold."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--name", default=f"lab-{secrets.token_hex(4)}", help="the beginning of the queue's name")
    arguments = parser.parse_args()
    report = Report(as_json=arguments.json)
    once = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=2 * ORDERS)
    make: Any = boto3.client
    try:
        run(make("sqs", config=once), arguments.name, report)
    except KeyboardInterrupt:
        return 130
    return 0 if report.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
