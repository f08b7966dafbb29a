"""`orderboard burst` on the real pipeline: a killed worker costs nothing, and a backend that cheats is caught."""

import csv
import json
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

from e2e.command import Command
from orderboard.burst.load.arrivals import Constant, send_times
from orderboard.burst.load.mix import Mix
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measurement import Plan
from orderboard.burst.report.now import Now
from orderboard.burst.runner import Runner
from orderboard.calibration.operations import make_orders
from orderboard.ledger.outcome_listener import listen_for_outcomes
from orderboard.system.backends import Backend
from orderboard.system.process import stop_all
from orderboard.system.services import ServiceOptions, start_api
from orderboard.system.system import System, SystemOptions
from orderboard.system.target import Target
from orderboard_contracts.events import parse_event
from support.spans import Exported, running_collector
from support.stack import DeployedStack, DeployStack

ORDERS = 40


def test_a_short_burst_is_valid(orderboard: Command, tmp_path: Path) -> None:
    """A killed worker, and queues that duplicate, reorder and miss messages: every order still ends once.

    Two generators send it. Every file is written, and a missed threshold gives exit code 99. The collector that
    OpenTelemetry's variables name gets the orders' spans and the burst's metrics. Takes more than 5 s: it starts a
    system, and the killed worker's orders come back after 10 s.
    """
    load = ["--orders", "500", "--duration", "3s", "--mix", "express=10,cancel=5,duplicate=5,poison=1", "--seed", "2"]
    disorder = "seed=7,duplicates=0.4,reordering=0.5,missed_polls=0.4,doubled_events=0.4"
    files = ["--out", str(tmp_path / "out"), "--junit", str(tmp_path / "burst.xml"), "--json"]
    thresholds = ["--expect", "lost==0", "--expect", "accept_p50_ms<0.001", "--generators", "2"]

    with running_collector() as collector:
        to_collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        arguments = [*load, "--kill-worker", "@1.5s", "--disorder", disorder, *files, *thresholds]
        done = orderboard.run("burst", *arguments, environment=to_collector)

    assert done.returncode == 99, done.stderr + done.stdout
    summary = json.loads(done.stdout)
    verdict = summary["verdict"]
    assert verdict["valid"], verdict["findings"]
    assert verdict["attempted"] == 500
    assert verdict["acknowledged"] + verdict["recovered"] == sum(
        verdict[ending] for ending in ("completed", "rejected", "cancelled", "dead_lettered")
    )
    assert verdict["dead_lettered"] == sum(verdict["endings"]["poison"].values()) > 0
    assert [mark["text"] for mark in summary["faults"]] == ["a worker killed (SIGKILL), another started"]
    assert summary["settings"]["disorder"] == disorder
    assert [(each["number"], each["sent"], each["ended"]) for each in summary["generator"]["each"]] == [
        (1, 250, ""),
        (2, 250, ""),
    ]
    counted = {row["operation"]: row["entries"] for row in summary["cost"]["requests"]}
    assert counted["PublishBatch"] >= verdict["acknowledged"]
    assert all(row["usd"] for row in summary["cost"]["requests"])
    took = summary["processor_time"]
    assert 0 < took["rig_s"] < took["system_s"]

    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary
    rows = list(csv.DictReader((tmp_path / "out" / "timeline.csv").read_text().splitlines()))
    assert sum(int(row["accepted"]) for row in rows) == verdict["acknowledged"]
    assert sum(int(row["finished"]) for row in rows) == verdict["acknowledged"] - verdict["dead_lettered"]
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    assert not (tmp_path / "out" / "logs").exists()
    suite = ET.parse(tmp_path / "burst.xml").getroot()  # noqa: S314 - our own file
    assert (suite.get("tests"), suite.get("failures")) == ("7", "1")
    _check_traces(collector.spans(), verdict["acknowledged"])
    assert "/v1/metrics" in {path for path, _, _ in collector.requests}


def _check_traces(spans: list[Exported], accepted: int) -> None:
    """Each order is one trace from order-api on; each delivery is below the span that created its message."""
    by_id = {span.span_id: span for span in spans}
    placed = {span.trace_id for span in spans if span.name == "POST /orders"}
    processed = [span for span in spans if span.name.startswith("process ")]
    made = [span for span in processed if span.service == "worker"]
    assert len(placed) >= accepted
    assert len(placed & {span.trace_id for span in made}) > accepted / 2  # the killed worker took its last spans along
    assert len(made) > len({span.parent_id for span in made})  # the disorder's duplicates
    for span in made:
        assert by_id[span.parent_id].trace_id == span.trace_id
        assert (by_id[span.parent_id].service, by_id[span.parent_id].name[:6]) == ("order-api", "create")
    announced = [span for span in processed if span.service == "notifier"]
    assert announced
    assert {span.trace_id for span in announced} <= {span.trace_id for span in spans if span.service == "order-api"}


def test_a_listener_can_follow_another_at_once(stack: DeployedStack) -> None:
    """A queue name can be used again only after a minute, so each listener has a new one."""
    target = Target(stack.endpoint, stack.outputs)

    with listen_for_outcomes(target) as first:
        pass
    with listen_for_outcomes(target) as second:
        assert target.queue_url(second.queue)

    assert first.queue != second.queue


class Saboteur:
    """A backend that cheats: before a worker starts, it loses one order and publishes the outcome of another.

    It also puts a duplicate of a third order into the dead-letter queue, which AWS may do.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self.lost = self.doubled = ""

    def update(self, now: Now) -> None:
        """Cheat as soon as all orders are on the queue, then start a worker."""
        if self.lost or now.loading:
            return
        target = self._system.target
        work = target.queue_url(target.outputs.work_queue)
        first, second, third = target.sqs.receive_message(QueueUrl=work, MaxNumberOfMessages=3)["Messages"]
        self.lost, self.doubled = (parse_event(message["Body"]).subject for message in (first, second))
        target.sqs.delete_message(QueueUrl=work, ReceiptHandle=first["ReceiptHandle"])
        dlq = target.outputs.queue_pairs["work"][1]
        assert dlq is not None
        target.sqs.send_message(QueueUrl=target.queue_url(dlq), MessageBody=third["Body"])
        for each in (second, third):
            target.sqs.change_message_visibility(
                QueueUrl=work, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
            )
        (another,) = make_orders(1, target)
        entry = another.completed | {"Detail": another.completed["Detail"].replace(another.order_id, self.doubled)}
        target.events.put_events(Entries=[entry])  # type: ignore[list-item]
        self._system.add_worker()

    def judging(self) -> None:
        """Ignored."""


def test_a_backend_that_loses_and_duplicates_is_caught(deploy_stack: DeployStack, tmp_path: Path) -> None:
    """One order removed from the queue, one outcome published twice: the verdict names both orders, and no other.

    The order with a dead-lettered duplicate was made once.

    Takes more than 5 s: an order is lost only after 10 s without any change.
    """
    stack = deploy_stack({})
    options = ServiceOptions(tmp_path, allow_faults=True)
    api = start_api(stack.endpoint, stack.outputs, options)
    system = System(
        Target(stack.endpoint, stack.outputs, api.url),
        Backend(stack.endpoint),
        SystemOptions(stack.endpoint.name, None, options),
        api,
    )
    times_s = send_times(Constant(), orders=ORDERS, duration_s=0.5, seed=1)
    saboteur = Saboteur(system)

    with ExitStack() as ending:
        ending.callback(lambda: stop_all([each.process for each in system.services], deadline_s=10))
        api.wait()
        stream = Stream(Mix(), Open(times_s), 1, f"cheat-{stack.name}")
        plan = Plan((stream,), connections=64, give_up_after_s=30)
        verdict = Runner(system, plan, saboteur).run().judgement.verdict

    assert not verdict.valid
    assert (verdict.lost, verdict.duplicated, verdict.unexpected) == (1, 1, 0)
    found = {finding.verdict: finding.text for finding in verdict.findings}
    assert saboteur.lost in found["lost"]
    assert saboteur.doubled in found["duplicated"]
    assert (verdict.acknowledged, verdict.completed) == (ORDERS, ORDERS - 1)
    assert (verdict.dead_lettered, verdict.dead_lettered_duplicates) == (0, 1)
