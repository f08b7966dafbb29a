"""A system that is kept running: up, what a user does with it, and down, in that order."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from e2e.command import Command, still_running
from support.waiting import eventually

ORDERS = """\
{"customer_id": "ada", "lines": [{"sku": "tea", "quantity": 2}], "note": "[red]hot[/red] ☕", "idempotency_key": "k1"}

{"customer_id": "alan", "lines": [{"sku": "unicorn-latte", "quantity": 1}]}
no order at all
{"customer_id": "grace", "lines": [{"sku": "tea", "quantity": 1}], "fault": "poison", "idempotency_key": "k2"}
{"customer_id": "edsger", "lines": [{"sku": "catering-box", "quantity": 3}], "priority": "express"}
"""


@pytest.fixture(scope="module")
def placed(orderboard: Command, system: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The orders above, placed from standard input: the answers by line."""
    done = orderboard.run("place", "--json", stdin=ORDERS)
    assert done.returncode == 1, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["line"]: answer for answer in answers}


def _timeline(orderboard: Command, order_id: str) -> dict[str, Any]:
    shown = orderboard.run("show", order_id, "--json")
    assert shown.returncode == 0, shown.stderr
    timeline: dict[str, Any] = json.loads(shown.stdout)
    return timeline


def _queue(orderboard: Command, name: str) -> dict[str, int]:
    status = orderboard.run("status", "--json")
    assert status.returncode == 0, status.stderr
    queues: dict[str, dict[str, int]] = json.loads(status.stdout)["queues"]
    return queues[f"orderboard-{name}"]


def test_it_runs_on(orderboard: Command, system: dict[str, Any]) -> None:
    """After `up` has ended the API answers, with its OpenAPI page, and status says that all is well."""
    assert httpx.get(f"{system['api_url']}/docs", trust_env=False).status_code == 200

    status = orderboard.run("status")
    assert status.returncode == 0, status.stderr
    assert "orderboard-work-dlq" in status.stdout


def test_a_second_up_is_refused(orderboard: Command, system: dict[str, Any]) -> None:
    """A second `up` starts nothing, and says what runs and how to end it."""
    second = orderboard.run("up")

    assert second.returncode == 1
    assert "A system is already running" in second.stderr
    assert "orderboard down" in second.stderr
    assert len(json.loads(orderboard.run("status", "--json").stdout)["processes"]) == len(system["processes"])


def test_every_line_gets_its_answer(placed: dict[int, dict[str, Any]]) -> None:
    """Lines are answered by their number: good ones with an order id, bad ones with what is wrong."""
    assert {number for number, answer in placed.items() if answer["accepted"]} == {1, 5, 6}
    assert placed[3]["status"] == 422
    assert "not JSON" in placed[4]["reason"]


async def test_the_timeline_of_an_order(orderboard: Command, placed: dict[int, dict[str, Any]]) -> None:
    """`show` has the record, the wait, the alerts, and what each service logged; typed text stays text."""
    order_id = placed[6]["order_id"]

    def recorded() -> None:
        timeline = _timeline(orderboard, order_id)
        assert timeline["record"] is not None, "no worker has recorded it yet"
        assert timeline["record"]["status"] == "completed"
        assert sorted(alert["kind"] for alert in timeline["alerts"]) == ["express_ready", "large_order"]
        assert {line["event"] for line in timeline["log"]} >= {"order.accepted", "order.completed"}
        assert timeline["waited_s"] >= 0

    await eventually(recorded, within_s=30)
    assert "[red]hot[/red] ☕" in orderboard.run("show", placed[1]["order_id"]).stdout


async def test_the_logs_of_an_order(orderboard: Command, placed: dict[int, dict[str, Any]]) -> None:
    """order-api's, the worker's and the notifier's lines, merged by time; each has the order's id and its trace."""
    order_id = placed[6]["order_id"]

    def lines() -> list[dict[str, Any]]:
        done = orderboard.run("logs", order_id[:8], "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["lines"]
        assert [line["message"] for line in found].count("alert.published") == 2
        return found

    found = await eventually(lines, within_s=60)

    logged = {(line["service"], line["message"]) for line in found}
    assert logged == {("order-api", "order.accepted"), ("worker", "order.completed"), ("notifier", "alert.published")}
    assert {line["order_id"] for line in found} == {order_id}
    assert len({line["trace_id"] for line in found}) == 1
    assert [line["timestamp"] for line in found] == sorted(line["timestamp"] for line in found)


def test_placing_again_orders_nothing_twice(orderboard: Command, placed: dict[int, dict[str, Any]]) -> None:
    """The same lines give the same order ids."""
    again = orderboard.run("place", "--json", stdin=ORDERS)

    answers = [json.loads(line) for line in again.stdout.splitlines()]
    ids = {answer["line"]: answer["order_id"] for answer in answers if answer["accepted"]}
    assert ids == {number: answer["order_id"] for number, answer in placed.items() if answer["accepted"]}


async def test_a_poisoned_order_is_redriven_and_comes_back(
    orderboard: Command, placed: dict[int, dict[str, Any]]
) -> None:
    """The poisoned order is in the DLQ, `show` says why, `redrive` moves it, and it comes back unfixed."""
    order_id = placed[5]["order_id"]

    def rests() -> None:
        assert _queue(orderboard, "work-dlq")["visible"] >= 1

    await eventually(rests, within_s=30)
    (letter, *_) = _timeline(orderboard, order_id)["dead_letters"]
    assert letter["queue"] == "orderboard-work-dlq"
    assert letter["reason"] == "it carries the fault poison"

    redriven = orderboard.run("redrive", "work", "--json")
    assert redriven.returncode == 0, redriven.stderr
    assert json.loads(redriven.stdout)["moved"] >= 1

    await eventually(rests, within_s=30)


def test_an_order_that_nobody_knows(orderboard: Command, system: dict[str, Any]) -> None:
    """`show` of an unknown id is an error; exit 1."""
    shown = orderboard.run("show", "00000000-0000-5000-8000-000000000000")

    assert (shown.returncode, shown.stdout) == (1, "")
    assert "No order 00000000-0000-5000-8000-000000000000 was found" in shown.stderr


def test_an_order_is_found_by_the_start_of_its_id(orderboard: Command, placed: dict[int, dict[str, Any]]) -> None:
    """The first 8 characters are enough, as the demo and the console print them; fewer are wrong usage."""
    order_id = placed[1]["order_id"]

    assert _timeline(orderboard, order_id[:8])["order_id"] == order_id
    assert orderboard.run("show", order_id[:7]).returncode == 2
    unknown = orderboard.run("show", "ffffffff")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_an_unknown_queue(orderboard: Command, system: dict[str, Any]) -> None:
    """`redrive` of an unknown queue is wrong use: exit 2, with the names that there are."""
    redriven = orderboard.run("redrive", "nonesuch")

    assert redriven.returncode == 2
    assert "work, express" in redriven.stderr


def test_the_environment_leads_to_the_system(orderboard: Command, system: dict[str, Any]) -> None:
    """`env` has its addresses, and unsets what the user's shell has that would lead past them."""
    found = json.loads(orderboard.run("env", "--json").stdout)

    assert {name: found[name] for name in system["environment"]} == system["environment"]
    assert found["ORDERBOARD_API_URL"] == system["api_url"]
    assert found["ORDERBOARD_WORK_DLQ_URL"].endswith("/orderboard-work-dlq")
    assert [found[name] for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS")] == [None] * 3
    assert found["NO_PROXY"] == "127.0.0.1"


def test_the_aws_command_is_run_on_the_system(orderboard: Command, system: dict[str, Any], tmp_path: Path) -> None:
    """Its words and its exit code are its own; the endpoint is that of the system."""
    fake = tmp_path / "aws"
    fake.write_text('#!/bin/sh\necho "$@"; echo "$AWS_PROFILE $AWS_ACCESS_KEY_ID"; exit 7\n')
    fake.chmod(0o755)

    done = orderboard.run("aws", "sqs", "list-queues", "--output", "json", environment={"PATH": str(tmp_path)})

    endpoint = f"--endpoint-url {system['endpoint_url']} --region us-east-1"
    assert (done.returncode, done.stdout) == (7, f"{endpoint} sqs list-queues --output json\n test\n"), done.stderr


def test_an_order_has_a_journal(orderboard: Command, placed: dict[int, dict[str, Any]]) -> None:
    """By the start of its id: from the topic and the bus to the end."""
    done = orderboard.run("journal", placed[6]["order_id"][:8], "--json")

    events = {each["event"] for each in json.loads(done.stdout)["entries"]}
    assert events >= {"published", "filtered", "delivered", "received", "deleted", "matched"}, done.stderr


def test_a_killed_worker_is_started_again(orderboard: Command, system: dict[str, Any]) -> None:
    """The only worker needs no name; `status` says what ended and the command that starts it, which works."""
    killed = orderboard.run("worker", "kill")
    assert killed.returncode == 0, killed.stderr
    status = orderboard.run("status")
    assert status.returncode == 1
    assert re.search(r"worker-1 .*SIGKILL.*\. Start it again: .* worker start worker-1", status.stdout), status.stdout

    started = orderboard.run("worker", "start", "1", "--json")

    assert started.returncode == 0, started.stderr
    ((name, pid, state),) = [each.values() for each in json.loads(started.stdout)["workers"]]
    assert (name, state) == ("worker-1", "running")
    assert pid not in {each["pid"] for each in system["processes"]}


def test_a_burst_joins_others_on_the_system(
    orderboard: Command, system: dict[str, Any], placed: dict[int, dict[str, Any]], tmp_path: Path
) -> None:
    """Older rows and an inbox that others read are left alone; order-api alone proves less, and says so.

    Takes more than 5 s: two bursts with their drains.
    """
    assert placed
    load = ("--orders", "30", "--duration", "1s", "--json")

    with_ledger = orderboard.run("burst", "--running", *load)
    alone = Command(tmp_path).run("burst", "--api-url", system["api_url"], *load)

    assert (with_ledger.returncode, alone.returncode) == (0, 0), with_ledger.stderr + alone.stderr
    verdict = json.loads(with_ledger.stdout)["verdict"]
    assert (verdict["valid"], verdict["basis"], verdict["lost"], verdict["unexpected"]) == (True, "ledger", 0, 0)
    assert verdict["completed"] + verdict["cancelled"] == verdict["acknowledged"] > 0
    answers = json.loads(alone.stdout)["verdict"]
    assert (answers["valid"], answers["answered"], answers["basis"]) == (False, True, "answers")
    assert (answers["lost"], answers["completed"], answers["attempted"]) == (None, None, 30)


def test_down_ends_everything_and_down_again_is_fine(orderboard: Command, system: dict[str, Any]) -> None:
    """`down` ends every process that `up` started; the second time nothing is to be done, which is fine."""
    state = json.loads((orderboard.state_dir / "state.json").read_text())
    processes = [psutil.Process(each["pid"]) for each in state["processes"]]

    first, second = orderboard.run("down"), orderboard.run("down")

    assert first.returncode == 0, first.stderr
    assert second.returncode == 0
    assert "Nothing was running" in second.stdout
    assert still_running(processes) == []
    assert orderboard.run("status").returncode == 1


def test_what_fails_at_start_shows_why_and_leaves_nothing(tmp_path: Path) -> None:
    """If a service dies at start, the end of its log is shown, and everything that was started has ended."""
    orderboard = Command(tmp_path / "state")

    up = orderboard.run("up", environment={"ORDERBOARD_SOLD_OUT": "unicorn-latte"})

    assert up.returncode == 1
    assert "worker-1 ended" in up.stderr
    assert "not on the menu" in up.stderr
    assert "Traceback (most recent call last)" not in up.stderr
    assert not (orderboard.state_dir / "state.json").exists()
    marked = [
        each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(each.info["cmdline"] or ())
    ]
    assert still_running(marked) == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """A named port that somebody has is refused before anything is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        up = Command(tmp_path / "state").run("up", "--port", str(port))

    assert up.returncode == 1
    assert f"Port {port} is taken" in up.stderr


def test_two_that_begin_at_once_have_an_api_each(tmp_path: Path) -> None:
    """The slower one uses other ports, and neither uses the order-api of the other.

    Takes more than 5 s: two systems start and stop.
    """
    both = [Command(tmp_path / name) for name in ("one", "other")]
    try:
        started = [each.start("up", "--json") for each in both]
        outputs = [each.communicate(timeout=120) for each in started]

        assert [each.returncode for each in started] == [0, 0], [error for _, error in outputs]
        systems = [json.loads(document) for document, _ in outputs]
        for name in ("api_url", "console_url", "endpoint_url"):
            assert len({each[name] for each in systems}) == 2, name
        for each, system in zip(both, systems, strict=True):
            assert {process["name"] for process in system["processes"]} >= {"order-api", "worker-1", "console"}
            assert each.run("status").returncode == 0
    finally:
        for each in both:
            each.run("down")


def test_nothing_runs(tmp_path: Path) -> None:
    """Commands that need a system say in one line that none runs and how to start one."""
    orderboard = Command(tmp_path / "state")

    for arguments in (["status"], ["place"], ["show", "00000000"], ["redrive", "work"], ["deploy"]):
        done = orderboard.run(*arguments)
        assert done.returncode == 1, arguments
        assert "orderboard up" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
