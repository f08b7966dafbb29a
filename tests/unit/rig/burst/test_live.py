"""The page of a running burst: its stream, its stop button, its metrics, and who may use them."""

import json
from typing import Any

import httpx
import pytest
from orderboard.burst.live.feed import Feed
from orderboard.burst.live.server import create_app, live_page
from orderboard.burst.load.generator import Answer, Reply
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.measure.sampler import Sample
from orderboard.burst.measure.timeline import Timeline
from orderboard.burst.model import FaultMark, TimelineRow
from orderboard.burst.report.now import Now
from orderboard.burst.stop import Stop
from orderboard.errors import UsageError
from orderboard.orders.queues import Depth
from orderboard_stack.process import free_port
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from unit.rig.burst.summaries import SUMMARY, Planned

HERE = "http://127.0.0.1:8070"


class Burst:
    """A burst of an order a second, moved by hand, and what a viewer of its page has received."""

    def __init__(self) -> None:
        self.recorder = Recorder([Stream(Planned(), Open(range(9)), 1, "run")])
        self.timeline = Timeline(self.recorder)
        self.stop = Stop()
        self.feed = Feed()
        self.feed.begin(SUMMARY.settings, self.stop)
        self.received: list[str] = []
        self.summary = SUMMARY

    def answer(self, number: int, after_s: float, answer: Answer = "acknowledged") -> None:
        """The order of this number is answered."""
        ids = (f"order-{number}",) if answer == "acknowledged" else ()
        self.recorder.replied(Reply(0, number, number, number, number + after_s, False, answer, ids, 500, None, ()))

    def at(self, at_s: float, *marks: FaultMark, loading: bool = True) -> None:
        """The runner shows the state of this time."""
        sample = Sample(0.0, {"work": Depth(3, 2, 1), "express": Depth(0, 0, 0)}, 1)
        self.timeline.observe(at_s - 1, sample, workers=2)
        self.feed.update(
            Now(
                at_s=at_s,
                loading=loading,
                sent=int(at_s),
                recorder=self.recorder,
                timeline=self.timeline,
                sample=sample,
                workers=2,
                marks=marks,
                next_fault=None,
                alerts=4,
            )
        )

    def events(self) -> list[tuple[str, Any]]:
        """Names and documents of the events since the last call."""
        found = [text.removeprefix("event: ").split("\ndata: ") for text in self.received]
        self.received.clear()
        return [(name, json.loads(data)) for name, data in found]


def test_a_viewer_gets_the_plan_all_seconds_so_far_and_then_one_a_second() -> None:
    """Rows are the report's; those of the last seconds come again, as answers to their orders may be late."""
    burst = Burst()
    burst.answer(0, 0.2)
    burst.at(1.0)
    burst.at(2.0)

    burst.feed.watch(burst.received.append)
    [(start, plan), (tick, first)] = burst.events()
    burst.answer(1, 0.9, "refused")
    burst.at(2.3)
    assert burst.events() == []
    burst.at(3.1)
    [(_, second)] = burst.events()

    assert (start, plan["settings"]["orders"], plan["columns"]) == ("start", 10, list(TimelineRow.model_fields))
    assert (tick, first["accepted"], first["sent"], first["workers"], first["alerts"]) == ("tick", 1, 2, 2, 4)
    assert [(row["at_s"], row["accepted"], row["accept_p99_ms"]) for row in first["rows"]] == [
        (0, 1, pytest.approx(200)),
        (1, 0, None),
    ]
    assert first["rows"][0] == json.loads(burst.timeline.rows(0, 0)[0].model_dump_json())
    assert [(row["at_s"], row["refused"]) for row in second["rows"]] == [(0, 0), (1, 1), (2, 0)]
    assert second["backlog"] == 6


def test_a_fault_and_the_end_of_the_load_show_at_once() -> None:
    """Within a second too; then come the verdict and the end of the command."""
    burst = Burst()
    burst.feed.watch(burst.received.append)
    burst.at(1.0)
    burst.at(1.2, FaultMark(at_s=1.1, text="a worker killed"))
    burst.at(1.4, FaultMark(at_s=1.1, text="a worker killed"), loading=False)
    burst.feed.end(SUMMARY.model_copy(update={"broken_off": "The page stopped the load."}), "report.html")
    burst.feed.close()

    start, *ticks, end, bye = burst.events()

    assert start[0] == "start"
    assert [(tick["loading"], len(tick["marks"])) for _, tick in ticks] == [(True, 0), (True, 1), (False, 1)]
    text = "Valid: nothing lost, duplicated or unexpected in 10 orders. The page stopped the load."
    assert end == ("end", {"valid": True, "text": text, "report": "report.html"})
    assert bye[0] == "bye"


def test_a_viewer_whose_loop_has_ended_costs_the_burst_nothing() -> None:
    """It is forgotten, and the others go on."""

    here = Burst()

    def gone(_: str) -> None:
        if here.received:
            raise RuntimeError("Event loop is closed")

    here.feed.watch(gone)
    leave = here.feed.watch(here.received.append)
    here.at(1.0)
    here.at(2.0)
    leave()
    here.at(3.0)

    assert [name for name, _ in here.events()] == ["start", "tick", "tick"]


@pytest.fixture
def burst() -> Burst:
    """A burst that has not begun to send."""
    return Burst()


def client(burst: Burst) -> httpx.AsyncClient:
    """A client in place of a browser."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(burst.feed)), base_url=HERE)


async def test_the_stop_button_requests_what_ctrl_c_does(burst: Burst) -> None:
    """Once: another press does not quit. Only the page itself can press it."""
    async with client(burst) as http:
        elsewhere = await http.post("/api/stop", json={}, headers={"Origin": "http://evil.example"})
        assert (elsewhere.status_code, burst.stop.by) == (403, "")

        first, second = [await http.post("/api/stop", json={}, headers={"Origin": HERE}) for _ in range(2)]

    assert (first.status_code, second.status_code, burst.stop.by) == (200, 409, "The page")


async def test_the_page_loads_only_its_own_files(burst: Burst) -> None:
    """Every address in it is one that the server has, and nothing else can be read from it."""
    async with client(burst) as http:
        page = await http.get("/")
        names = [part.split('"')[0] for part in page.text.replace("src=", "href=").split('href="')[1:]]
        files = [await http.get(name) for name in names]
        others = [await http.get(path) for path in ("/assets/report.js", "/assets/..%2Fhtml.py", "/api/other")]

    assert len(names) == 7
    assert {file.status_code for file in files} == {200}
    assert {file.headers["content-type"].partition(";")[0] for file in files} == {"text/css", "text/javascript"}
    assert {other.status_code for other in others} == {404}
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_prometheus_can_scrape_the_running_burst(burst: Burst) -> None:
    """Counts grow with the burst, an order that is answered late is counted once, and latencies are in buckets."""
    for second in range(4):
        burst.answer(second, 0.003 if second else 2.4, "refused" if second == 3 else "acknowledged")
        burst.recorder.outcome(f"order-{second}", second + 3.0)
        burst.at(second + 1.0)
    burst.at(7.0)

    async with client(burst) as http:
        answer = await http.get("/metrics")

    families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    samples = {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert samples["orderboard_burst_answers_total", "acknowledged"] == 3
    assert samples["orderboard_burst_answers_total", "refused"] == 1
    assert samples["orderboard_burst_accept_latency_seconds_bucket", "0.005"] == 2
    assert samples["orderboard_burst_accept_latency_seconds_count",] == 3
    assert samples["orderboard_burst_end_to_end_latency_seconds_count",] == 3
    assert samples["orderboard_burst_backlog_messages",] == 6
    assert samples["orderboard_burst_dead_letter_messages",] == 1


def test_the_page_is_served_until_the_command_ends(burst: Burst) -> None:
    """A viewer of the stream is let go; a port that is in use is a usage error with the fix."""
    port = free_port()
    with live_page(burst.feed, port) as url:
        with (
            pytest.raises(UsageError, match=f"--live-port {port}: Address already in use. Choose another port"),
            live_page(burst.feed, port),
        ):
            pass
        with httpx.stream("GET", f"{url}/api/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: start"
            burst.feed.close()
            assert "event: bye" in list(lines)

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
