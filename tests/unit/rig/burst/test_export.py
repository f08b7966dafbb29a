"""A run in the formats of other tools: a line for every order, HdrHistogram's log, OpenMetrics, Markdown."""

import base64
import csv
import json
import struct
import zlib
from pathlib import Path

import pytest
from orderboard.burst.export.files import Exported, export, metrics_of, parse_formats
from orderboard.burst.export.hdr import encoded, log_lines
from orderboard.burst.export.markdown import comparison_markdown, summary_markdown
from orderboard.burst.load.generator import Reply
from orderboard.burst.load.stream import Open, Stream
from orderboard.burst.measure.percentiles import latency
from orderboard.burst.measure.recorder import Recorder, Second
from orderboard.burst.model import Expectation, Finding, Summary
from orderboard.burst.report.files import EXPORT_FILES
from orderboard.burst.runs.comparison import compare
from orderboard.burst.runs.conditions import parse_condition
from orderboard.burst.runs.kept import Group, KeptRun
from orderboard.errors import RigError
from orderboard.ledger.ledger import Entry, Ledger
from orderboard_contracts.identity import order_id_for
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from unit.rig.burst.page_elements import HOSTILE
from unit.rig.burst.summaries import SUMMARY, Planned

# As hdrhistogram 0.10.8 for Python encodes 500 ns, 1 ms twice, 2.5 ms, 1 s and 0, from 1 µs to a day with three digits.
BY_THE_LIBRARY = "HISTFAAAAC54nJNpmSzMwMDAzQABzFDqBQOD35SJ/gwM9h8gIiz75VgOizDd7mJkAgCt2ghX"


def a_run(summary: Summary = SUMMARY) -> Exported:
    """Three orders accepted after 0.5, 3 and 70,000 ms, and one finished."""
    recorder = Recorder([Stream(Planned(), Open([0, 1, 2]), 1, "run")])
    for number, ms in enumerate((0.5, 3, 70_000)):
        recorder.seconds.setdefault(number, Second()).accept_ms.append(ms)
    recorder.seconds[0].end_to_end_ms.append(2_000)
    return Exported(summary, recorder, Ledger((), 0, {}, ()))


def decoded(text: str) -> dict[int, int]:
    """The counts by index, by the description of the V2 encoding."""
    compressed = base64.b64decode(text)
    assert struct.unpack(">ii", compressed[:8]) == (0x1C849314, len(compressed) - 8)
    plain = zlib.decompress(compressed[8:])
    assert struct.unpack(">ii", plain[:8]) == (0x1C849313, len(plain) - 40)
    counts, index, rest = {}, 0, iter(plain[40:])
    for byte in rest:
        number, shift = byte & 0x7F, 7
        while byte & 0x80:
            byte = next(rest)  # noqa: PLW2901
            number, shift = number | (byte & 0x7F) << shift, shift + 7
        count = (number >> 1) ^ -(number & 1)
        if count > 0:
            counts[index] = count
        index += -count if count < 0 else 1
    return counts


def test_a_histogram_is_encoded_as_the_library_does() -> None:
    """Byte for byte, so every viewer of HdrHistogram reads it."""
    assert encoded([0.0005, 1, 1, 2.5, 1000, 0]) == BY_THE_LIBRARY


@pytest.mark.parametrize("ms", [0.001, 0.7, 19.4, 1_999.9, 59_999, 3_600_000])
def test_a_value_is_kept_to_three_digits(ms: float) -> None:
    """The bounds of its index, by the arithmetic of HdrHistogram, enclose it within 0.1 %."""
    [(index, count)] = decoded(encoded([ms])).items()

    bucket, sub_bucket = (index >> 10) - 1, (index & 1023) + 1024
    if bucket < 0:
        bucket, sub_bucket = 0, sub_bucket - 1024
    low = sub_bucket << (bucket + 9)
    assert count == 1
    assert low <= ms * 1e6 < low + (1 << (bucket + 9))
    assert 1 << (bucket + 9) <= max(512, ms * 1e6 / 1000)


def test_many_values_and_long_gaps_are_counted() -> None:
    """Counts above 64 take two bytes; a negative time, from clocks that differ, counts as 0."""
    values = [1.0] * 300 + [5_000.0] * 20_000 + [-0.1]

    assert sorted(decoded(encoded(values)).values()) == [1, 300, 20_000]


def test_the_log_has_a_tagged_line_for_each_second_and_latency() -> None:
    """With the offset to its start, its length and its maximum; a second without any has no line."""
    head, start, columns, *lines = log_lines(a_run().recorder.seconds, 1_700_000_000.25)

    assert head == "#[Histogram log format version 1.3]"
    assert start == "#[StartTime: 1700000000.250 (seconds since epoch)]"
    assert columns == '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
    assert [line.rpartition(",")[0] for line in lines] == [
        "Tag=accept,0.000,1.000,0.500",
        "Tag=end_to_end,0.000,1.000,2000.000",
        "Tag=accept,1.000,1.000,3.000",
        "Tag=accept,2.000,1.000,70000.000",
    ]


def test_the_metrics_are_open_metrics() -> None:
    """Prometheus's own parser reads them: counts by answer, cumulative buckets in seconds, and the verdict."""
    families = text_string_to_metric_families(metrics_of(a_run()).text().decode())  # type: ignore[no-untyped-call]

    samples = {(each.name, *sorted(each.labels.items())): each.value for family in families for each in family.samples}
    latency_s = "orderboard_burst_accept_latency_seconds"
    assert samples["orderboard_burst_answers_total", ("answer", "acknowledged")] == 9
    assert [samples[f"{latency_s}_bucket", ("le", le)] for le in ("0.001", "0.002", "0.005", "60.0", "+Inf")] == [
        *(1, 1, 2, 2),
        3,
    ]
    assert samples[f"{latency_s}_sum",] == pytest.approx(70.0035)
    assert samples["orderboard_burst_end_to_end_latency_seconds_bucket", ("le", "2.0")] == 1
    assert samples["orderboard_burst_valid",] == 1
    assert samples["orderboard_burst_findings", ("class", "lost")] == 0


def test_the_markdown_has_the_verdict_the_figures_and_the_thresholds() -> None:
    """As tables, which GitHub and GitLab draw."""
    missed = Expectation(text="accept_p99_ms<50", measured=float("inf"), met=False)

    lines = summary_markdown(
        SUMMARY.model_copy(update={"accept": latency(range(1, 101)), "expectations": (missed,)})
    ).splitlines()

    assert lines[0] == "### ✅ Valid: burst of 10 orders"
    assert "| accept | 100 | 50 ms | 95 ms | 99 ms | 100 ms |" in lines
    assert "| `accept_p99_ms<50` | nothing to measure | ❌ |" in lines


def test_a_text_of_a_finding_is_no_markup() -> None:
    """It stays on one line, and each of its signs is escaped."""
    wrong = SUMMARY.verdict.model_copy(
        update={"valid": False, "lost": 1, "findings": (Finding(verdict="lost", type="Lost", text=f"a\n{HOSTILE}|"),)}
    )

    text = summary_markdown(SUMMARY.model_copy(update={"verdict": wrong, "broken_off": "![x](y)"}))

    assert text.startswith("### ❌ Not valid")
    [line] = [line for line in text.splitlines() if line.startswith("- lost: a ")]
    assert r"\<img src=x onerror=alert(2)\>\<\!-- \]\]\>" in line
    assert line.endswith(r"\|")
    assert r"\!\[x\](y)" in text


def test_a_comparison_as_markdown_says_which_conditions_hold() -> None:
    """With its figures, its method and what is not comparable."""
    before, after = (
        Group(name, [KeptRun(Path(f"{name}-1"), SUMMARY.model_copy(update={"drain_s": drain_s}))])
        for name, drain_s in (("before", 1.0), ("after", 3.0))
    )
    conditions = {parse_condition("drain_s>2x"): True, parse_condition("accept_p99>2x"): False}

    lines = comparison_markdown(compare(before, after), conditions).splitlines()

    assert lines[0] == "### ❌ after (1 run) compared with before (1 run)"
    assert {"| `drain_s>2x` | holds ❌ |", "| `accept_p99_ms>2x` | does not hold ✅ |"} < set(lines)
    assert "| `drain_s` | 1 | 3 | 3.00× |  |  |" in lines


def test_every_order_is_a_line_with_where_it_ended(tmp_path: Path) -> None:
    """Also one without an answer that was placed all the same; a refused one has its reason, and no id."""
    run = a_run()
    ids = [order_id_for(f"key-{number}") for number in range(3)]
    reply = Reply(0, 0, 0, 0.25, 0.5, False, "acknowledged", (ids[0],), 500, None, ())
    run.recorder.replied(reply)
    run.recorder.outcome(ids[0], 2.0)
    run.recorder.replied(
        reply._replace(number=1, intended_s=1.0, answer="refused", order_ids=(), refusals=("422 no, not this",))
    )
    run.recorder.replied(reply._replace(number=2, answer="unavailable", order_ids=(), refusals=("TimeoutError",)))
    entries = tuple(Entry(id_, "normal", "completed", ()) for id_ in (ids[0], ids[2]))
    run = Exported(run.summary, run.recorder, Ledger(entries, 1, {}, ()))

    export(run, ("ndjson", "csv"), tmp_path)

    first, second, third = map(json.loads, (tmp_path / "orders.ndjson").read_text().splitlines())
    assert (first["order_id"], first["ended"], first["reason"]) == (ids[0], "completed", None)
    assert (first["sent_s"], first["accept_ms"], first["finished_s"], first["end_to_end_ms"]) == (0.25, 500, 2, 2000)
    assert (second["order_id"], second["reason"], second["accept_ms"]) == (None, "422 no, not this", None)
    assert (third["order_id"], third["answer"], third["ended"]) == (ids[2], "unavailable", "completed")
    with (tmp_path / "orders.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{name: text or None for name, text in row.items()} for row in rows] == [
        {name: None if value in (None, "") else str(value) for name, value in row.items()}
        for row in (first, second, third)
    ]


def test_every_format_writes_its_file(tmp_path: Path) -> None:
    """Named by `bursts remove` too, which takes them away."""
    formats = parse_formats(",".join(EXPORT_FILES))

    export(a_run(), formats, tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == set(EXPORT_FILES.values())
    (tmp_path / "orders.csv").unlink()
    (tmp_path / "orders.csv").mkdir()
    with pytest.raises(RigError, match=r"--export csv: .*: Is a directory. The run itself is kept in"):
        export(a_run(), ("csv",), tmp_path)
    for wrong in ("xml", "", "hdr,xml"):
        with pytest.raises(ValueError, match=r"expected some of .*hdr"):
            parse_formats(wrong)
