"""The wall: opt-in reports, their order and limits, who may see it, and attendees whom a dead wall never disturbs."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from orderboard.cli.app import app
from orderboard.console.workshop.wall import addresses, create_wall, listen, needed_token
from orderboard.errors import RigError, UsageError
from orderboard.system.workspace import STATE_DIR_VARIABLE, find_workspace
from orderboard.workshop.catalogue import everything
from orderboard.workshop.progress import Membership, Progress, Record
from orderboard.workshop.wall import attendees as wall_attendees
from orderboard.workshop.wall import reporter
from orderboard.workshop.wall.attendees import Attendees, FullError
from orderboard.workshop.wall.report import MAX_BYTES, Report, report
from orderboard.workshop.workshop import Workshop
from typer.testing import CliRunner

NOON: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANY: Final = "0.0.0.0"  # noqa: S104
HERE: Final = "http://127.0.0.1:8090"
ADA: Final = "a" * 32
BOB: Final = "b" * 32


def _report(attendee: str = ADA, name: str = "Ada", *, version: int = 1, **changes: Any) -> Report:
    given = {"attendee": attendee, "name": name, "version": version, "sent_at": NOON, **changes}
    return Report.model_validate(given)


def _open(*, minutes_ago: float, hints: int = 0) -> dict[str, Any]:
    return {"status": "open", "opened_at": NOON - timedelta(minutes=minutes_ago), "hints": hints}


@pytest.fixture
def attendees(tmp_path: Path) -> Attendees:
    """A wall's attendees: nobody yet."""
    return Attendees(tmp_path / "wall")


def _names(attendees: Attendees) -> list[str]:
    return [each["name"] for each in attendees.document(everything(), NOON)["attendees"]]


class _Client:
    """A client of a wall in this process, for tests and for threads that report."""

    def __init__(self, attendees: Attendees, token: str | None = None, base: str = HERE) -> None:
        self._app, self._base = create_wall(attendees, token), base

    def get(self, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._send("GET", path, given))

    def post(self, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._send("POST", path, given))

    def report(self, sent: Report, **headers: str) -> httpx.Response:
        headers = {"Content-Type": "application/json", **headers}
        return self.post("/api/report", content=sent.model_dump_json(), headers=headers)

    async def _send(self, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url=self._base, headers={"Origin": self._base}) as http:
            return await http.request(method, path, **given)


# ---- Reports ----


def test_reports_may_come_twice_late_and_out_of_order(attendees: Attendees) -> None:
    """The one with the highest version counts, whichever comes last; the same one twice changes nothing."""
    late = _report(version=1, exercises={1: {"status": "open"}})
    newest = _report(version=2, exercises={1: {"status": "solved"}})

    for each in (newest, late, newest):
        attendees.accept(each, NOON)

    [row] = attendees.document(everything(), NOON)["attendees"]
    assert row["cells"][1]["status"] == "solved"


def test_a_wall_that_is_started_again_knows_its_attendees(attendees: Attendees, tmp_path: Path) -> None:
    """Reports are kept in its folder; a damaged file costs one row until the next report; --new forgets all."""
    attendees.accept(_report(), NOON)
    attendees.accept(_report(BOB, "Bob"), NOON)
    (tmp_path / "wall" / f"{BOB}.json").write_text("{")

    again = Attendees(tmp_path / "wall")
    assert _names(again) == ["Ada"]
    again.accept(_report(BOB, "Bob"), NOON)
    assert _names(again) == ["Ada", "Bob"]

    again.forget()
    assert _names(Attendees(tmp_path / "wall")) == []


def test_two_attendees_of_one_name_have_two_rows(attendees: Attendees) -> None:
    """The second one to join is numbered."""
    attendees.accept(_report(BOB, "Ada"), NOON)
    attendees.accept(_report(ADA, "Ada"), NOON + timedelta(seconds=1))

    assert _names(attendees) == ["Ada", "Ada (2)"]


def test_those_who_left_stay_away(attendees: Attendees) -> None:
    """A report that was sent before they left, and comes after it, does not bring them back."""
    attendees.accept(_report(version=3, left=True), NOON)
    attendees.accept(_report(version=2), NOON)

    assert _names(attendees) == []


def test_a_full_wall_accepts_known_attendees_only(attendees: Attendees, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is refused; room comes from those who left."""
    monkeypatch.setattr(wall_attendees, "MAX_ATTENDEES", 2)
    attendees.accept(_report(), NOON)
    attendees.accept(_report(BOB, "Bob"), NOON)
    with pytest.raises(FullError):
        attendees.accept(_report("c" * 32, "Cleo"), NOON)

    attendees.accept(_report(BOB, "Bob", version=2, left=True), NOON)
    attendees.accept(_report("c" * 32, "Cleo"), NOON)
    assert _names(attendees) == ["Ada", "Cleo"]


def test_the_wall_names_those_who_are_stuck(attendees: Attendees) -> None:
    """Longer than planned, or with all hints, at the exercise they work on; minutes are of the attendee's clock."""
    first = everything()[0]
    number, planned = first.number, first.readme.minutes
    attendees.accept(_report(current=number, exercises={number: _open(minutes_ago=planned - 1)}), NOON)
    attendees.accept(_report(BOB, "Bob", current=number, exercises={number: _open(minutes_ago=1, hints=3)}), NOON)
    wrong_clock = NOON - timedelta(days=1)
    behind = {"status": "open", "opened_at": wrong_clock - timedelta(minutes=1)}
    cleo = _report("c" * 32, "Cleo", current=number, sent_at=wrong_clock, exercises={number: behind})
    attendees.accept(cleo, NOON)

    def stuck(at: datetime) -> list[str]:
        return [name for each in attendees.document(everything(), at)["stuck"] for name in each["names"]]

    assert stuck(NOON) == ["Bob"]
    assert stuck(NOON + timedelta(minutes=2)) == ["Ada", "Bob"]
    assert stuck(NOON + timedelta(days=1)) == []


def test_a_report_has_no_texts() -> None:
    """It has the counts of a check, not its findings, and no facts."""
    record = Record(opened_at=NOON, checks=1, findings=({"met": False, "text": "secret"},), facts={"note": "secret"})
    sent = report(Progress(version=4, records={2: record}), Membership(attendee=ADA, name="Ada", url=HERE))

    assert "secret" not in sent.model_dump_json()
    assert (sent.exercises[2].met, sent.exercises[2].findings, sent.version) == (0, 1, 4)


# ---- The server ----


def test_the_page_escapes_nothing_because_it_builds_no_html(attendees: Attendees) -> None:
    """A name is data in JSON, and the page's policy allows no inline script."""
    client = _Client(attendees)
    assert client.report(_report(name="<script>alert(1)</script>")).status_code == 200

    page = client.get("/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert client.get("/api/wall").json()["attendees"][0]["name"] == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 41},
        {"name": "a\nb"},
        {"name": "\u202eabc"},
        {"attendee": "../../etc"},
        {"version": -1},
        {"exercises": {str(number): {"status": "open"} for number in range(1, 60)}},
        {"exercises": {"1": {"status": "winning"}}},
        {"sent_at": "2026-05-04T12:00:00"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_report_that_is_none_is_refused(attendees: Attendees, changes: dict[str, object]) -> None:
    """Each field has its bounds, and the answer names the field."""
    document = {**json.loads(_report().model_dump_json()), **changes}

    answer = _Client(attendees).post("/api/report", json=document)

    assert answer.status_code == 422
    assert next(iter(changes)) in answer.json()["message"]
    assert _names(attendees) == []


def test_a_large_body_is_refused(attendees: Attendees) -> None:
    """A report is a few kB."""
    answer = _Client(attendees).post(
        "/api/report", content=b" " * (MAX_BYTES + 1), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413


def test_without_a_token_only_this_machine_is_answered(attendees: Attendees) -> None:
    """Another name in Host, and a page of another origin, are rejected."""
    client = _Client(attendees)

    assert client.get("/api/wall", headers={"Host": "attacker.example:8090"}).status_code == 403
    assert client.report(_report(), Origin="https://example.com").status_code == 403


def test_at_another_address_a_token_is_needed(attendees: Attendees) -> None:
    """Without it, or with a wrong one, nothing is shown or kept; the page itself holds no data."""
    client = _Client(attendees, "right-token", "http://trainer.lan:8090")

    assert client.get("/").status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong-token"}, {"Authorization": "Bearer é"}):
        sent = {name: value.encode() for name, value in headers.items()}
        assert client.get("/api/wall", headers=sent).status_code == 401
    assert client.report(_report(), Authorization="Bearer wrong").status_code == 401
    assert _names(attendees) == []
    assert client.report(_report(), Authorization="Bearer right-token").status_code == 200
    assert client.get("/api/wall", headers={"Authorization": "Bearer right-token"}).status_code == 200


def test_a_token_is_made_once(tmp_path: Path) -> None:
    """A wall that is started again at another address than loopback keeps the token that its attendees have."""
    kept = tmp_path / "wall" / "token"

    assert needed_token("127.0.0.1", None, kept) is needed_token("::1", None, kept) is None
    made = needed_token(ANY, None, kept)
    assert made is not None
    assert len(made) >= 12
    assert needed_token("192.0.2.1", None, kept) == made
    assert needed_token(ANY, "own-token", kept) == "own-token"
    assert kept.stat().st_mode & 0o077 == 0
    assert addresses("192.0.2.1", 8090, made) == [f"http://192.0.2.1:8090/#{made}"]
    assert addresses("::1", 8090, None) == ["http://[::1]:8090"]
    with pytest.raises(UsageError, match="8 to 64"):
        needed_token(ANY, "short", kept)


def test_an_address_that_cannot_be_used_names_the_option() -> None:
    """A taken port asks for another one, and an address of another machine for one of this."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(RigError, match="--port"):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(RigError, match="--host"):
        listen("203.0.113.9", 0)


# ---- The attendee ----


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """An attendee's workshop, without a system, that reports its changes."""
    monkeypatch.setenv(STATE_DIR_VARIABLE, str(tmp_path / "attendee"))
    return Workshop(find_workspace(), on_change=reporter.in_background)


@pytest.fixture
def wall_answers(attendees: Attendees, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bool]]:
    """A wall with a token, which the attendee's requests reach unless `up` is made false."""
    client, state = _Client(attendees, "right-token"), {"up": True}
    one_at_a_time = threading.Lock()  # as the server's loop

    def post(url: str, **given: Any) -> httpx.Response:
        if not state["up"]:
            raise httpx.ConnectError("refused")
        with one_at_a_time:
            return client.post(url, content=given["content"], headers=given["headers"])

    monkeypatch.setattr(httpx, "post", post)
    yield state
    _reported()


def _reported() -> None:
    for thread in threading.enumerate():
        if thread.name == "wall":
            thread.join()


def test_changes_are_reported_once_a_wall_was_joined(
    workshop: Workshop, attendees: Attendees, wall_answers: dict[str, bool]
) -> None:
    """Before, and after leaving, nothing is sent; a wall that was down has everything after the next change."""
    entry = everything()[0]
    workshop.hint(entry)
    _reported()
    assert _names(attendees) == []

    assert reporter.join(workshop, "Ada", f"{HERE}/#right-token") is None
    workshop.hint(entry)
    _reported()
    [row] = attendees.document(everything(), datetime.now(UTC))["attendees"]
    assert (row["name"], row["cells"][entry.number]["hints"]) == ("Ada", 2)

    wall_answers["up"] = False
    workshop.hint(entry)
    workshop.skip(entry)
    _reported()
    assert "No wall answers" in (reporter.send_again(workshop.progress()) or "")
    wall_answers["up"] = True
    assert reporter.send_again(workshop.progress()) is None
    [row] = attendees.document(everything(), datetime.now(UTC))["attendees"]
    assert (row["cells"][entry.number]["hints"], row["cells"][entry.number]["status"]) == (3, "skipped")

    assert reporter.leave(workshop) is None
    workshop.hint(entry)
    _reported()
    assert _names(attendees) == []


def test_forgetting_the_progress_keeps_the_wall(
    workshop: Workshop, attendees: Attendees, wall_answers: dict[str, bool]
) -> None:
    """The row is empty, not gone: its report is newer than those before."""
    del wall_answers
    reporter.join(workshop, "Ada", f"{HERE}/#right-token")
    workshop.skip(everything()[0])
    workshop.forget()
    _reported()

    [row] = attendees.document(everything(), datetime.now(UTC))["attendees"]
    assert row["cells"] == {}


def test_joining_again_keeps_the_row(workshop: Workshop, attendees: Attendees, wall_answers: dict[str, bool]) -> None:
    """Another name for the same wall changes the row."""
    del wall_answers
    for name in ("Ada", "Ada Lovelace"):
        assert reporter.join(workshop, name, f"{HERE}/#right-token") is None
        _reported()

    assert _names(attendees) == ["Ada Lovelace"]


@pytest.mark.parametrize(
    ("name", "url", "problem"),
    [
        ("Ada", f"{HERE}/#wrong-token", "the token is wrong"),
        ("Ada", HERE, "the token is wrong"),
        ("Ada", "trainer:8090", "--wall"),
        ("\x1b[31m", f"{HERE}/#right-token", "printable"),
    ],
)
def test_what_no_wall_accepts_is_not_joined(
    workshop: Workshop, wall_answers: dict[str, bool], name: str, url: str, problem: str
) -> None:
    """A wrong token, address or name is an error at once, and nothing is kept."""
    del wall_answers
    with pytest.raises(UsageError, match=problem):
        reporter.join(workshop, name, url)

    assert workshop.progress().wall is None


def test_name_and_wall_go_together(workshop: Workshop) -> None:
    """`start` with one of them says so, before anything starts."""
    del workshop
    done = CliRunner().invoke(app, ["workshop", "start", "--name", "Ada"])

    assert done.exit_code == 2
    assert "go together" in done.stderr
