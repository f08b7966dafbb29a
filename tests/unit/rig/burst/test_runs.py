"""Kept runs: one folder each, one published document, found by name, folder or tag."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from orderboard.burst.model import Expectation, Summary
from orderboard.burst.options import BurstOptions
from orderboard.burst.report.files import BurstFiles
from orderboard.burst.runs.folders import claim_folder, runs_folder
from orderboard.burst.runs.kept import KeptRun, find_runs, keep_run, kept_runs, parse_tag, read_run
from orderboard.burst.runs.repeat import repetitions
from orderboard.burst.runs.schema import DOCUMENTS, schema, schema_file, schema_text
from orderboard.cli.app import app
from orderboard.errors import RigError, UsageError
from orderboard.system.workspace import STATE_DIR_VARIABLE
from typer.testing import CliRunner
from unit.rig.burst.summaries import ROW, SUMMARY

PUBLISHED = Path(__file__).parents[4] / "docs" / "schemas"


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder for bursts."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "state"))


def a_run(name: str, *, after_s: int = 0, tags: tuple[str, ...] = (), folder: Path | None = None) -> KeptRun:
    """A run in the folder of runs, started so many seconds after the first."""
    changes = {"started_at": SUMMARY.started_at + timedelta(seconds=after_s), "tags": tags}
    path = (folder or runs_folder()) / name
    path.mkdir(parents=True)
    keep_run(BurstFiles(SUMMARY.model_copy(update=changes), (ROW,)), path)
    return read_run(path)


def run(*words: str, typed: str = "") -> tuple[int, str, str]:
    """The exit code, output and errors of a command."""
    done = CliRunner().invoke(app, words, input=typed)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_published_schema_is_that_of_the_model(name: str) -> None:
    """If not: orderboard bursts schema NAME > docs/schemas/FILE."""
    assert (PUBLISHED / schema_file(name)).read_text() == schema_text(name) == run("bursts", "schema", name)[1]
    Draft202012Validator.check_schema(schema(name))


def test_every_summary_fits_the_schema_and_is_read_as_it_was() -> None:
    """Also one with an infinite measurement, which JSON lacks; the format is required, a field to come is allowed."""
    missed = Expectation(text="accept_p99_ms<50", measured=float("inf"), met=False)
    summary = SUMMARY.model_copy(update={"expectations": (missed,), "tags": ("a",), "note": "b"})
    document = json.loads(summary.model_dump_json())

    Draft202012Validator(schema("run")).validate(document | {"to_come": 1})

    assert Summary.model_validate_json(summary.model_dump_json()) == summary
    assert not Draft202012Validator(schema("run")).is_valid({**document, "format": "another"})
    assert not Draft202012Validator(schema("run")).is_valid({key: document[key] for key in document if key != "format"})


def test_a_run_is_read_with_its_timeline() -> None:
    """As it was written; what a later version added is ignored."""
    kept = a_run("first")
    path = kept.folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"to_come": {"x": 1}}))

    assert read_run(kept.folder).files() == BurstFiles(SUMMARY, (ROW,))


def test_runs_of_the_same_second_have_folders_of_their_own_each() -> None:
    """Twenty started at once make twenty folders."""
    folders = [claim_folder(None) for _ in range(20)]

    assert len({each.name for each in folders}) == 20
    assert all(each.is_dir() for each in folders)


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    """--out refuses a folder with a run, or with logs that are not the burst's; files beside it do no harm."""
    taken, logs, mixed = a_run("taken", folder=tmp_path).folder, tmp_path / "mine", tmp_path / "mixed"
    (logs / "logs").mkdir(parents=True)
    (logs / "logs" / "app.log").touch()
    mixed.mkdir()
    (mixed / "notes.txt").touch()

    for folder, said in ((taken, "the folder has a run, which is not overwritten"), (logs, "logs is not empty")):
        with pytest.raises(UsageError, match=said):
            claim_folder(folder)
    assert claim_folder(mixed) == mixed


def test_a_user_names_runs_by_name_beginning_folder_or_tag(tmp_path: Path) -> None:
    """The newest is `latest`; a tag, or a folder of folders, is a group."""
    second = a_run("2026-01-02_08-00-00", after_s=60, tags=("slow", "b"))
    first = a_run("2026-01-01_08-00-00", tags=("slow",))
    elsewhere = a_run("x", folder=tmp_path)

    assert kept_runs() == [first, second]
    assert find_runs("latest") == find_runs("2026-01-02") == find_runs("b") == [second]
    assert find_runs("slow") == find_runs(str(runs_folder())) == [first, second]
    assert find_runs(str(elsewhere.folder)) == [elsewhere]
    with pytest.raises(UsageError, match="2026-01: 2 runs begin so, from 2026-01-01_08-00-00 to"):
        find_runs("2026-01")
    with pytest.raises(UsageError, match=r"fast: no run, tag or folder of runs has this name; .*newest is 2026-01-02"):
        find_runs("fast")


def test_what_is_not_a_run_is_left_out_and_explained(tmp_path: Path) -> None:
    """A run in progress, a damaged document."""
    (runs_folder() / "running").mkdir(parents=True)
    damaged = a_run("damaged").folder
    (damaged / "summary.json").write_text('{"format": "orderboard.burst.v1"}')

    assert kept_runs() == []
    with pytest.raises(RigError, match=r"running has no run: summary.json is missing. It runs still, or was killed"):
        read_run(runs_folder() / "running")
    with pytest.raises(RigError, match="is not the summary of a run: started_at: Field required"):
        read_run(damaged)


def test_tags_and_notes_are_kept_with_the_run_and_shown_by_its_report() -> None:
    """A tag twice is one; what a later version wrote stays."""
    kept = a_run("2026-01-01_08-00-00")
    path = kept.folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"to_come": 1}))

    assert run("bursts", "tag", "latest", "slow", "b", "slow")[:2] == (0, " 2026-01-01_08-00-00: slow, b\n")
    assert run("bursts", "tag", "latest", "b", "--remove")[0] == 0
    assert run("bursts", "note", "latest", " new index ")[0] == 0

    changed = json.loads(path.read_text())
    assert (changed["tags"], changed["note"], changed["to_come"]) == (["slow"], "new index", 1)
    assert '"note":"new index"' in (kept.folder / "report.html").read_text()
    listed = json.loads(run("bursts", "--json", "--tag", "slow")[1])
    assert [(each["name"], each["summary"]["note"]) for each in listed] == [(kept.name, "new index")]
    assert "#slow; new index" in " ".join(run("bursts")[1].split())


@pytest.mark.parametrize("tag", ["Slow", "latest", "2026-01-01_08", "a b", "-x", "x" * 41])
def test_a_tag_cannot_be_taken_for_a_run(tag: str) -> None:
    """It is in lower case and short."""
    a_run("2026-01-01_08-00-00")

    code, _, error = run("bursts", "tag", "latest", "--", tag)

    assert code == 2
    assert "expected a tag of at most 40 letters in lower case" in error


def test_removing_asks_and_takes_only_the_files_of_the_run() -> None:
    """Without --yes and without a terminal nothing is removed; a file of the user's stays."""
    first, second = a_run("2026-01-01_08-00-00", tags=("old",)), a_run("2026-01-02_08-00-00", tags=("old",))
    (first.folder / "logs").mkdir()
    (second.folder / "mine.txt").touch()

    code, _, error = run("bursts", "remove", "old")
    assert (code, len(kept_runs())) == (2, 2)
    assert "Add --yes" in error
    assert run("bursts", "remove", "old", "latest", "--yes")[0] == 0

    assert not first.folder.exists()
    assert [each.name for each in second.folder.iterdir()] == ["mine.txt"]


def test_repetitions_have_a_folder_each_and_a_tag_in_common(tmp_path: Path) -> None:
    """Given by --tag, or one that names the time; --out has a folder for each run."""
    once, *others = repetitions(BurstOptions())
    tagged = repetitions(BurstOptions(repeat=3, tag=["before"], out=tmp_path / "out"))
    untagged = repetitions(BurstOptions(repeat=2))

    assert (once.tag, others) == ([], [])
    assert [each.out for each in tagged] == [tmp_path / "out" / str(number) for number in (1, 2, 3)]
    assert {tuple(each.tag or ()) for each in tagged} == {("before",)}
    [[common], [again]] = [each.tag or [] for each in untagged]
    assert common == again == parse_tag(common)
    with pytest.raises(UsageError, match="--tag Before: expected a tag of at most 40 letters"):
        repetitions(BurstOptions(tag=["Before"]))
