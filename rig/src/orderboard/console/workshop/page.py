"""The page of the workshop: its exercises with the progress that the command line shares, and its actions."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from orderboard.console import requests
from orderboard.console.source import Source
from orderboard.console.streaming import Put, stream
from orderboard.console.workshop.markdown import elements
from orderboard.errors import RigError, UsageError
from orderboard.system.command_line import relative, to_paste
from orderboard.workshop.catalogue import Entry, everything
from orderboard.workshop.progress import Progress, Record
from orderboard.workshop.quiz import questions, score
from orderboard.workshop.wall.report import SENT
from orderboard.workshop.wall.reporter import LEFT, ROW_STAYS, address, in_background, join, leave
from orderboard.workshop.workshop import Workshop

PAGE: Final = "/workshop"
_STATIC: Final = Path(__file__).parents[1] / "static" / "workshop"
_AFTER: Final = {"right", "why", "proof"}  # after an answer
_BUSY: Final = "Something is under way in this exercise. Wait for its end."


class Action(requests.Body):
    """An action on an exercise. number: the exercise's."""

    number: int
    action: Literal["open", "deploy", "check", "hint", "solution", "apply", "skip", "reset"]


class Answer(requests.Body):
    """An answer to a question of the quiz. choice: its number, from 1."""

    number: int
    choice: int


class Join(requests.Body):
    """A wall to join, by the address that it prints, and the name to be shown there."""

    name: str
    wall: str


class WorkshopPage:
    """The page for one source. One action runs at a time, here and on the command line."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._workshop = Workshop(source.workspace, on_change=in_background)
        self._acting = threading.Lock()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PAGE, _page),
            Route("/api/workshop", self._list),
            Route("/api/workshop/do", self._act, methods=["POST"]),
            Route("/api/workshop/{number:int}", self._exercise),
            Route("/api/workshop/quiz", self._quiz),
            Route("/api/workshop/quiz/answer", self._answer, methods=["POST"]),
            Route("/api/workshop/quiz/again", self._again, methods=["POST"]),
            Route("/api/workshop/join", self._join, methods=["POST"]),
            Route("/api/workshop/leave", self._leave, methods=["POST"]),
        ]

    def reap(self) -> None:
        """Collect the exit status of ended workers that an exercise started."""
        self._workshop.workers.reap()

    def opened_at(self) -> datetime | None:
        """Return when the current exercise was opened; None if none is open, or if the progress is damaged."""
        try:
            progress = self._workshop.progress()
        except RigError:
            return None
        return None if progress.current is None else progress.record(progress.current).opened_at

    async def _list(self, _: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._document))

    async def _exercise(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._texts, int(request.path_params["number"])))

    async def _act(self, request: Request) -> Response:
        body = await requests.read_body(request, Action)
        entry = self._workshop.entry(str(body.number))
        if not self._acting.acquire(blocking=False):
            raise UsageError(_BUSY)
        return StreamingResponse(
            stream("workshop", lambda put: self._run(entry, body.action, put)), media_type="application/x-ndjson"
        )

    async def _quiz(self, _: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._questions))

    async def _answer(self, request: Request) -> Response:
        body = await requests.read_body(request, Answer)
        await asyncio.to_thread(self._workshop.answer, body.number, body.choice)
        return await self._quiz(request)

    async def _again(self, request: Request) -> Response:
        await asyncio.to_thread(self._workshop.forget_answers)
        return await self._quiz(request)

    async def _join(self, request: Request) -> Response:
        body = await requests.read_body(request, Join)
        problem = await asyncio.to_thread(join, self._workshop, body.name, body.wall)
        return JSONResponse({"done": to_paste(problem or "")})

    async def _leave(self, _: Request) -> Response:
        problem = await asyncio.to_thread(leave, self._workshop)
        return JSONResponse({"done": LEFT if problem is None else f"{ROW_STAYS} {problem}"})

    def _run(self, entry: Entry, action: str, put: Put) -> None:
        try:
            self._workshop.say = lambda text: put({"say": text})
            put({"done": to_paste(_ACTIONS[action](self._workshop, entry))})
        finally:
            self._acting.release()

    def _document(self) -> dict[str, Any]:
        progress = self._workshop.progress()
        return {
            "current": progress.current,
            "wall": None if (wall := progress.wall) is None else {"name": wall.name, "url": address(wall.url)},
            "sent": SENT,
            "exercises": [_exercise(each, progress) for each in everything()],
            "quiz": asdict(score(progress.quiz)),
        }

    def _questions(self) -> list[dict[str, Any]]:
        """Return the questions; the right answer, and why, of those only that are answered."""
        given = self._workshop.progress().quiz
        return [
            {"number": number, "text": each.text, "answers": each.answers}
            | ({"choice": given[number], **each.model_dump(include=_AFTER)} if number in given else {})
            for number, each in enumerate(questions(), start=1)
        ]

    def _texts(self, number: int) -> dict[str, Any]:
        entry = self._workshop.entry(str(number))
        record = self._workshop.progress().record(number)
        return {
            "text": elements(entry.readme.text()),
            "hints": [elements(each) for each in entry.exercise.hints[: record.hints]],
            "solution": elements(entry.solution) if record.solution_seen else None,
            "files": [relative(self._workshop.files / name) for name in entry.exercise.files],
        }


def _exercise(entry: Entry, progress: Progress) -> dict[str, Any]:
    record = progress.record(entry.number)
    return {
        "number": entry.number,
        "title": entry.readme.title,
        "minutes": entry.readme.minutes,
        "status": record.status,
        "opened_at": record.opened_at and record.opened_at.timestamp(),
        "minutes_taken": record.minutes,
        "checks": record.checks,
        "findings": _findings(record),
        "hints": record.hints,
        "all_hints": len(entry.exercise.hints),
        "solution_seen": record.solution_seen,
        "deploys": entry.exercise.deploy is not None,
    }


def _findings(record: Record) -> list[dict[str, Any]]:
    return [{"met": each.met, "text": to_paste(each.text)} for each in record.findings]


# ---- The actions: each returns a sentence about its result ----


def _open(workshop: Workshop, entry: Entry) -> str:
    workshop.open(entry)
    return "It is open: the system is as deployed, and its start state is prepared."


def _deploy(workshop: Workshop, entry: Entry) -> str:
    return workshop.deploy(entry)


def _check(workshop: Workshop, entry: Entry) -> str:
    checked = workshop.check(entry)
    if checked.solved:
        return f"Solved. {_next(workshop, entry)}"
    missing = sum(not each.met for each in checked.findings)
    return f"Not yet: {missing} of {len(checked.findings)} findings are not as they should be."


def _hint(workshop: Workshop, entry: Entry) -> str:
    shown = workshop.hint(entry)
    return f"Hint {len(shown)} of {len(entry.exercise.hints)} is below."


def _solution(workshop: Workshop, entry: Entry) -> str:
    workshop.solution(entry)
    return "The solution is below."


def _apply(workshop: Workshop, entry: Entry) -> str:
    return f"Applied. Look at what it changed, then check.{_kept(workshop.apply_solution(entry))}"


def _skip(workshop: Workshop, entry: Entry) -> str:
    workshop.skip(entry)
    return f"Skipped. {_next(workshop, entry)}"


def _reset(workshop: Workshop, entry: Entry) -> str:
    return f"It is as at the beginning.{_kept(workshop.reset(entry))}"


def _next(workshop: Workshop, entry: Entry) -> str:
    after = workshop.next_after(entry)
    return "That was the last one: the quiz is left." if after is None else f"Next: {after}."


def _kept(files: list[Path]) -> str:
    return "".join(f" Your file is kept as {relative(each)}." for each in files)


_ACTIONS: Final[dict[str, Callable[[Workshop, Entry], str]]] = {
    "open": _open,
    "deploy": _deploy,
    "check": _check,
    "hint": _hint,
    "solution": _solution,
    "apply": _apply,
    "skip": _skip,
    "reset": _reset,
}


async def _page(_: Request) -> Response:
    return FileResponse(_STATIC / "index.html")
