"""A run, or a comparison, as Markdown for a pull request."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orderboard.burst.model import GroupLatency, Latency, Summary
from orderboard.burst.runs.comparison import Comparison
from orderboard.burst.runs.conditions import Condition

_SHOWN_FINDINGS: Final = 5
_SHOWN_RATIO: Final = 1000
# What Markdown or HTML may take for markup, in a text of the user's.
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|#&@!~])")


def summary_markdown(summary: Summary) -> str:
    """Return the verdict, the figures and the thresholds of a run."""
    return "\n".join(_summary(summary)) + "\n"


def comparison_markdown(comparison: Comparison, conditions: Mapping[Condition, bool]) -> str:
    """Return the figures of a comparison, and which conditions hold."""
    return "\n".join(_comparison(comparison, conditions)) + "\n"


def escaped(text: str) -> str:
    """Return a text of the user's as Markdown that shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _summary(summary: Summary) -> Iterator[str]:
    found, settings = summary.verdict, summary.settings
    name = found.headline.partition(":")[0]
    yield f"### {'✅' if found.good else '❌'} {name}: burst of {settings.orders:,} orders"
    yield ""
    system = settings.target or f"{settings.workers_text}, {settings.backend} backend"
    yield (
        f"{escaped(settings.profile)} over {settings.duration_s:g} s, {settings.rate:g} a second, {escaped(system)}. "
        f"{found.headline}; {found.acknowledged:,} of {found.attempted:,} acknowledged."
    )
    if found.unproven:
        yield "\nNot proven: " + "; ".join(escaped(each) for each in found.unproven) + "."
    if summary.broken_off:
        yield f"\n**Broken off.** {escaped(summary.broken_off)}"
    yield ""
    yield from _table(
        ("", "orders", "p50", "p95", "p99", "max"),
        (
            ("accept", *_latency(summary.accept)),
            ("end to end", *_latency(summary.end_to_end)),
        ),
    )
    yield ""
    if len(summary.groups) > 1:
        yield from _groups(summary)
        yield ""
    if found.basis == "answers":
        yield f"{summary.accepted_per_s:,.0f} accepted/s."
    else:
        yield _pace(summary)
    generator = summary.generator
    if len(generator.each) > 1:
        late = max(each.late / max(1, each.orders) for each in generator.each)
        yield f"{len(generator.each)} generators; the latest sent {late:.1%} of its orders late."
    if summary.bound is not None:
        yield f"Bottleneck: {summary.bound.name}. {escaped(summary.bound.text)}"
    if summary.expectations:
        yield ""
        rows = [(f"`{each.text}`", each.in_words, _sign(good=each.met)) for each in summary.expectations]
        yield from _table(("threshold", "measured", ""), rows)
    if found.findings:
        yield ""
        yield from (f"- {each.verdict}: {escaped(each.text)}" for each in found.findings[:_SHOWN_FINDINGS])
        if (more := len(found.findings) - _SHOWN_FINDINGS) > 0:
            yield f"- and {more} more in summary.json"


def _groups(summary: Summary) -> Iterator[str]:
    """Yield a table that is folded until a reader opens it."""
    by = "stream and kind" if any(each.by == "stream" for each in summary.groups) else "kind"
    yield f"<details><summary>By {by} of order</summary>\n"
    rows = [
        (
            f"stream {each.name}" if each.by == "stream" else each.name.replace("_", " "),
            f"{each.orders:,}",
            *("" if ms is None else f"{ms:,.0f} ms" for ms in _p50_p99(each)),
        )
        for each in summary.groups
    ]
    yield from _table(("", "orders", "accept p50", "p99", "end to end p50", "p99"), rows)
    yield "\n</details>"


def _p50_p99(group: GroupLatency) -> Iterator[float | None]:
    for found in (group.accept, group.end_to_end):
        yield from (None, None) if found is None else (found.p50_ms, found.p99_ms)


def _comparison(comparison: Comparison, conditions: Mapping[Condition, bool]) -> Iterator[str]:
    good = not any(conditions.values())
    sides = [
        f"{escaped(side.name)} ({len(side.runs)} run{'' if len(side.runs) == 1 else 's'})"
        for side in (comparison.before, comparison.after)
    ]
    yield f"### {_sign(good=good)} {sides[1]} compared with {sides[0]}"
    yield ""
    if conditions:
        rows = [(f"`{each}`", "holds ❌" if holds else "does not hold ✅") for each, holds in conditions.items()]
        yield from _table(("fails if", ""), rows)
        yield ""
    rows_of_figures = [
        (
            f"`{each.name}`",
            _number(each.before_mean),
            _number(each.after_mean),
            _times(each.ratio),
            "" if each.low is None or each.high is None else f"{_times(each.low)} to {_times(each.high)}",
            "**differs**" if each.differs else "",
        )
        for each in comparison.figures
        if any((*each.before, *each.after))
    ]
    yield from _table(("", "before", "after", "ratio", "95 % interval", ""), rows_of_figures)
    yield ""
    yield comparison.method
    for difference in comparison.differences:
        yield f"- {difference.kind}: {escaped(difference.text)}"


def _pace(summary: Summary) -> str:
    return (
        f"{summary.accepted_per_s:,.0f} accepted/s, {summary.finished_per_s:,.0f} finished/s, peak backlog "
        f"{summary.peak_backlog:,}, drained in {summary.drain_s:.1f} s."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(['---', *['--:'] * (len(head) - 1)])}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _latency(found: Latency | None) -> tuple[str, ...]:
    if found is None:
        return ("0", "", "", "", "")
    values = (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms)
    return (f"{found.count:,}", *(f"{value:,.0f} ms" for value in values))


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "from 0"
    return f"{ratio:.2f}×" if ratio < _SHOWN_RATIO else f"over {_SHOWN_RATIO:,}×"


def _sign(*, good: bool) -> str:
    return "✅" if good else "❌"
