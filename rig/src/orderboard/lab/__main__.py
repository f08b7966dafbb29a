"""`make lab`: run every experiment on each local backend, record the outcomes, and write docs/lab.md."""

import argparse
from datetime import UTC, datetime
from typing import Final

from orderboard_stack.backend import BackendName

from orderboard.errors import RigError
from orderboard.lab.backend import lab_backend
from orderboard.lab.catalogue import Entry, everything, find
from orderboard.lab.outcomes import RecordedRun, read, recorded_run, write
from orderboard.lab.page import page
from orderboard.lab.result import Result
from orderboard.lab.run import Runner
from orderboard.lab.timeline import sentence
from orderboard.system.backends import version_of
from orderboard.system.workspace import find_workspace

_BACKENDS: Final[tuple[BackendName, ...]] = ("embedded", "ministack", "localstack")


def main() -> int:
    """Run them; return 1 if one differs on embedded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=_BACKENDS, action="append", help="repeatable; default: all of them")
    parser.add_argument("experiment", nargs="*", help="run these again; default: all of them")
    given = parser.parse_args()
    wanted: list[BackendName] = given.backend or list(_BACKENDS)
    entries, chosen = everything(), [find(name) for name in given.experiment]
    for name in wanted:
        try:
            write({name: _run_all(name, chosen or entries)})
        except RigError as exc:
            print(f"{name}: not run: {exc}", flush=True)
    runs = read()
    (find_workspace().root / "docs" / "lab.md").write_text(page(entries, runs), "utf-8")
    differs = [each for each, found in runs["embedded"].outcomes.items() if found.outcome == "differs"]
    print(f"docs/lab.md is written. On embedded {len(differs)} differ.")
    return 1 if differs else 0


def _run_all(name: BackendName, entries: list[Entry]) -> RecordedRun:
    results: list[Result] = []
    with lab_backend(name, None, progress=print) as backend:
        for number, entry in enumerate(entries, 1):
            result = Runner(entry, backend)()
            results.append(result)
            print(f"{name} {number:3}/{len(entries)} {entry.name}: {sentence(result)}", flush=True)
        return recorded_run(results, version_of(backend.endpoint), datetime.now(UTC).date().isoformat())


if __name__ == "__main__":
    raise SystemExit(main())
