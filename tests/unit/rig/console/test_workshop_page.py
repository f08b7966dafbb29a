"""The page of the workshop, without a running system: list, texts, hints, solution, errors, and the shared progress."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from orderboard.cli.app import app
from orderboard.console.routes import create_app
from orderboard.console.source import Source
from orderboard.console.workshop.markdown import Element, elements
from orderboard.system.workspace import STATE_DIR_VARIABLE, find_workspace
from orderboard.workshop.catalogue import everything
from orderboard.workshop.exercise import Finding
from orderboard.workshop.progress import ProgressFile
from orderboard.workshop.quiz import questions
from typer.testing import CliRunner

HERE = "http://127.0.0.1:8080"


@pytest.fixture
def progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProgressFile:
    """The progress of a new attendee: the file that the command line uses."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path))
    return ProgressFile(tmp_path)


@pytest.fixture
async def http(progress: ProgressFile) -> AsyncIterator[httpx.AsyncClient]:
    """The console of the attendee, with nothing running."""
    del progress
    transport = httpx.ASGITransport(app=create_app(Source(find_workspace())))
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers={"Origin": HERE}) as client:
        yield client


async def _do(http: httpx.AsyncClient, action: str, number: int = 2) -> dict[str, Any]:
    answer = await http.post("/api/workshop/do", json={"number": number, "action": action})
    assert answer.status_code == 200, answer.text
    last: dict[str, Any] = json.loads(answer.text.splitlines()[-1])
    return last


async def _listed(http: httpx.AsyncClient, number: int = 2) -> dict[str, Any]:
    exercises: list[dict[str, Any]] = (await http.get("/api/workshop")).json()["exercises"]
    return next(each for each in exercises if each["number"] == number)


async def test_all_exercises_are_listed_with_their_texts(http: httpx.AsyncClient) -> None:
    """Each has its title and an empty progress; its text leaves out what is for the trainer."""
    found = (await http.get("/api/workshop")).json()

    assert [each["title"] for each in found["exercises"]] == [each.readme.title for each in everything()]
    assert {each["status"] for each in found["exercises"]} == {"not opened"}
    assert found["current"] is None
    for each in everything():
        texts = (await http.get(f"/api/workshop/{each.number}")).json()
        headings = [part[2] for part in texts["text"] if part[0] == "h2"]
        assert headings == ["Goal", "Story", "Do", "See", "On AWS"]
        assert (texts["hints"], texts["solution"]) == ([], None)


async def test_hints_and_solution_are_kept_for_a_reload(http: httpx.AsyncClient, progress: ProgressFile) -> None:
    """Each hint adds one, three at most; what was seen is shown by the next read, and is in the progress file."""
    said = [(await _do(http, "hint"))["done"] for _ in range(4)]
    await _do(http, "solution")

    assert said == [f"Hint {number} of 3 is below." for number in (1, 2, 3, 3)]
    texts = (await http.get("/api/workshop/2")).json()
    assert len(texts["hints"]) == 3
    assert texts["solution"] is not None
    record = progress.read().record(2)
    assert (record.hints, record.solution_seen) == (3, True)


async def test_what_the_command_line_did_is_shown(http: httpx.AsyncClient, progress: ProgressFile) -> None:
    """The findings of its check are there, met or not, in their order."""
    findings = (Finding(met=True, text="Running: worker-1."), Finding(met=False, text="0 of 20 waited."))
    progress.write(progress.read().changed(2, findings=findings, checks=1))

    listed = await _listed(http)

    assert [(each["met"], each["text"]) for each in listed["findings"]] == [
        (True, "Running: worker-1."),
        (False, "0 of 20 waited."),
    ]
    assert progress.read().record(2).failing == ("0 of 20 waited.",)


async def test_skipped_is_shown(http: httpx.AsyncClient) -> None:
    """A skipped exercise says so, and names the next one."""
    assert (await _do(http, "skip"))["done"].startswith("Skipped. ")

    assert (await _listed(http))["status"] == "skipped"


@pytest.mark.parametrize(
    ("action", "problem"), [("open", "Nothing is running here."), ("check", "is not the open one")]
)
async def test_an_action_that_fails_says_why(http: httpx.AsyncClient, action: str, problem: str) -> None:
    """The last line of the stream has the error with its fix, and the next action is accepted."""
    assert problem in (await _do(http, action))["error"]
    assert problem in (await _do(http, action))["error"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"number": 99, "action": "open"}, "Unknown exercise"),
        ({"number": 2, "action": "solve"}, "action"),
        ({"number": "2", "action": "open"}, "number"),
    ],
)
async def test_a_wrong_request_is_refused(http: httpx.AsyncClient, body: dict[str, object], problem: str) -> None:
    """An unknown exercise or action is an error that names it."""
    answer = await http.post("/api/workshop/do", json=body)

    assert answer.status_code == 422
    assert problem in answer.json()["message"]


async def test_other_pages_cannot_act(http: httpx.AsyncClient, progress: ProgressFile) -> None:
    """An action of another origin is refused and changes nothing."""
    body = {"number": 2, "action": "skip"}
    answer = await http.post("/api/workshop/do", json=body, headers={"Origin": "https://example.com"})

    assert answer.status_code == 403
    assert progress.read().version == 0


async def _ask(http: httpx.AsyncClient, action: str, **body: object) -> Any:
    answer = await http.post(f"/api/workshop/{action}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_quiz_gives_an_answer_away_only_when_one_was_given(http: httpx.AsyncClient) -> None:
    """A right and a wrong answer are kept for a reload, with why and the proof; the other questions stay closed."""
    first, second = questions()[:2]
    wrong = second.right % len(second.answers) + 1
    await _ask(http, "quiz/answer", number=1, choice=first.right)
    await _ask(http, "quiz/answer", number=2, choice=wrong)

    shown = (await http.get("/api/workshop/quiz")).json()

    assert [each["text"] for each in shown] == [each.text for each in questions()]
    assert (shown[0]["choice"], shown[0]["right"], shown[0]["proof"]) == (first.right, first.right, first.proof)
    assert (shown[1]["choice"], shown[1]["right"], shown[1]["why"]) == (wrong, second.right, second.why)
    assert all(each.keys() == {"number", "text", "answers"} for each in shown[2:])
    assert (await http.get("/api/workshop")).json()["quiz"] == {"right": 1, "answered": 2, "of": 15}
    assert CliRunner().invoke(app, ["workshop", "status"]).stdout.count("The quiz: 1 of 2 right so far") == 1


async def test_the_quiz_begins_again(http: httpx.AsyncClient, progress: ProgressFile) -> None:
    """The answers are forgotten; the exercises are not."""
    await _do(http, "skip")
    await _ask(http, "quiz/answer", number=15, choice=1)

    shown = await _ask(http, "quiz/again")

    assert all("choice" not in each for each in shown)
    assert progress.read().quiz == {}
    assert progress.read().record(2).skipped


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"number": 16, "choice": 1}, "expected 1 to 15"),
        ({"number": 0, "choice": 1}, "expected 1 to 15"),
        ({"number": 1, "choice": 9}, "is not an answer"),
        ({"number": 1, "choice": -1}, "is not an answer"),
        ({"number": 1}, "choice"),
    ],
)
async def test_no_such_answer_is_refused(
    http: httpx.AsyncClient, progress: ProgressFile, body: dict[str, object], problem: str
) -> None:
    """The error says what is expected, and nothing is kept."""
    answer = await http.post("/api/workshop/quiz/answer", json=body)

    assert answer.status_code == 422
    assert problem in answer.json()["message"]
    assert progress.read().version == 0


async def test_a_wall_is_joined_and_left_from_the_page(http: httpx.AsyncClient, progress: ProgressFile) -> None:
    """A wall that is down is kept for later, without its token on the page; after leaving nothing is reported."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    joined = await _ask(http, "join", name="Ada", wall=f"{url}/#secret-token")

    assert f"No wall answers at {url}" in joined["done"]
    assert (await http.get("/api/workshop")).json()["wall"] == {"name": "Ada", "url": url}
    assert "your row stays" in (await _ask(http, "leave"))["done"]
    assert progress.read().wall is None
    assert (await http.post("/api/workshop/leave", json={})).status_code == 422


@pytest.mark.parametrize(("name", "wall"), [("", "http://127.0.0.1:1"), ("Ada", "trainer:8090"), ("Ada", "file:///x")])
async def test_a_wall_that_cannot_be_joined_is_not_kept(
    http: httpx.AsyncClient, progress: ProgressFile, name: str, wall: str
) -> None:
    """A name or an address that no wall accepts is an error on the page."""
    answer = await http.post("/api/workshop/join", json={"name": name, "wall": wall})

    assert answer.status_code == 422
    assert progress.read().wall is None


def test_a_damaged_progress_is_forgotten_without_the_wall(progress: ProgressFile, tmp_path: Path) -> None:
    """`reset --all` replaces a file that cannot be read."""
    (tmp_path / "workshop.json").write_text("{")

    assert progress.forget().records == {}
    assert progress.read().records == {}


def _walk(found: list[Element]) -> Iterator[Element]:
    for each in found:
        yield each
        if isinstance(each, list):
            yield from _walk(each[2:])


def test_markup_stays_text() -> None:
    """HTML, and links that run code, are shown as they were typed; other links keep their address."""
    found = elements(
        "<b onclick=x>hi</b> [a](javascript:alert(1)) [b](https://docs.aws.amazon.com/sqs/) [c](my_code.py)"
    )

    links = [each for each in _walk(found) if isinstance(each, list) and each[0] == "a"]
    assert [each[1] for each in links] == [{"href": "https://docs.aws.amazon.com/sqs/"}, {}]
    assert "<b onclick=x>hi</b>" in "".join(each for each in _walk(found) if isinstance(each, str))


def test_blocks_of_a_text() -> None:
    """Lists, tables and code keep their form."""
    found = elements("3. a `ls`\n\n| x |\n|---|\n| 1 |\n\n```sh\nls\n```\n")

    assert found == [
        ["ol", {"start": "3"}, ["li", {}, "a ", ["code", {}, "ls"]]],
        ["table", {}, ["thead", {}, ["tr", {}, ["th", {}, "x"]]], ["tbody", {}, ["tr", {}, ["td", {}, "1"]]]],
        ["pre", {}, "ls"],
    ]
