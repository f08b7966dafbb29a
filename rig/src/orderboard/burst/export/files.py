"""The files of --export, by their format."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard.burst.export.hdr import log_lines
from orderboard.burst.export.markdown import summary_markdown
from orderboard.burst.export.metrics import Metrics
from orderboard.burst.export.orders import write_csv, write_ndjson
from orderboard.burst.measure.recorder import Recorder
from orderboard.burst.model import Summary
from orderboard.burst.report.files import EXPORT_FILES
from orderboard.errors import RigError
from orderboard.ledger.ledger import Ledger


@dataclass(frozen=True)
class Exported:
    """A run that ended, with every order of it."""

    summary: Summary
    recorder: Recorder
    ledger: Ledger


def metrics_of(run: Exported) -> Metrics:
    """Return the metrics at the end."""
    summary, found = run.summary, run.summary.verdict
    metrics = Metrics(
        summary.settings,
        sent=summary.generator.sent,
        answers={name: getattr(found, name) for name in ("acknowledged", "refused", "unavailable")},
        finished=run.recorder.finished,
        gauges={"unfinished_orders": run.recorder.unfinished},
        verdict=found,
    )
    metrics.add_all(run.recorder.seconds)
    return metrics


def _ndjson(run: Exported, path: Path) -> None:
    write_ndjson(run.recorder.records(), run.ledger, path)


def _csv(run: Exported, path: Path) -> None:
    write_csv(run.recorder.records(), run.ledger, path)


def _metrics(run: Exported, path: Path) -> None:
    path.write_bytes(metrics_of(run).text())


def _markdown(run: Exported, path: Path) -> None:
    path.write_text(summary_markdown(run.summary), encoding="utf-8")


def _hdr(run: Exported, path: Path) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in log_lines(run.recorder.seconds, run.summary.started_at.timestamp()))


_WRITERS: Final[Mapping[str, Callable[[Exported, Path], None]]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "hdr": _hdr,
    "openmetrics": _metrics,
    "markdown": _markdown,
}


def parse_formats(text: str) -> tuple[str, ...]:
    """Parse `hdr,markdown`; raise ValueError with the reason."""
    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    for name in names:
        if name not in _WRITERS:
            raise ValueError(f"unknown format {name!r}; expected some of {', '.join(_WRITERS)}")
    if not names:
        raise ValueError(f"expected some of {', '.join(_WRITERS)}")
    return names


def export(run: Exported, formats: Iterable[str], folder: Path) -> None:
    """Write the files of these formats; raise RigError if one cannot be written."""
    for name in formats:
        path = folder / EXPORT_FILES[name]
        try:
            _WRITERS[name](run, path)
        except OSError as exc:
            raise RigError(f"--export {name}: {path}: {exc.strerror}. The run itself is kept in {folder}.") from exc
