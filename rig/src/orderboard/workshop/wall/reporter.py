"""Reports an attendee's progress to the wall that they joined. A wall that is down never disturbs the attendee."""

import threading
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from orderboard.errors import UsageError
from orderboard.system.backends import checked_url
from orderboard.workshop.progress import Membership, Progress
from orderboard.workshop.wall.report import Report, report
from orderboard.workshop.workshop import Workshop

_ANSWERS_WITHIN_S: Final = 2.0
LEFT: Final = "You have left the wall."
ROW_STAYS: Final = "Nothing more is reported, but your row stays:"
_LATER: Final = "It gets everything with your next change, or: orderboard workshop status"


def join(workshop: Workshop, name: str, url: str) -> str | None:
    """Join a wall under a name. Return why it does not know yet; None if it does.

    UsageError is raised, and nothing is kept, for a name, an address or a token that a wall does not accept.
    """
    address(url)
    progress = workshop.progress()
    before = progress.wall
    same = before is not None and address(before.url) == address(url)
    membership = Membership(attendee=before.attendee if before and same else uuid4().hex, name=name, url=url)
    problem = _problem(report(progress, membership), url)
    if before is not None and not same:
        _problem(report(progress, before, left=True), before.url)
    workshop.set_wall(membership)
    return problem and f"{problem} {_LATER}"


def leave(workshop: Workshop) -> str | None:
    """Leave the wall, which removes the attendee's row. Return why it could not; None if it did."""
    if (membership := workshop.progress().wall) is None:
        raise UsageError("You are on no wall. Join one: orderboard workshop join --name NAME --wall URL")
    progress = workshop.set_wall(None)
    try:
        return _problem(report(progress, membership, left=True), membership.url)
    except UsageError as exc:  # its token has changed
        return str(exc)


def send_again(progress: Progress) -> str | None:
    """Report the progress as it is. Return why the wall has not got it; None if it has, or if none was joined."""
    if progress.wall is None:
        return None
    try:
        problem = _problem(report(progress, progress.wall), progress.wall.url)
    except UsageError as exc:
        return str(exc)
    return problem and f"{problem} {_LATER}"


def in_background(progress: Progress) -> None:
    """Report a change, if a wall was joined. What does not arrive is in the next report, too."""
    if progress.wall is not None:
        threading.Thread(target=send_again, args=(progress,), name="wall").start()


def address(url: str) -> str:
    """Return the address of a wall without its token; raise UsageError if it is not one."""
    parts = urlsplit(checked_url("--wall", url))
    return f"{parts.scheme}://{parts.netloc}"


def _problem(sent: Report, url: str) -> str | None:
    """Send a report. Return why nothing was answered; raise UsageError if the wall refuses the report."""
    base, token = address(url), urlsplit(url).fragment
    headers = {"Origin": f"http://{urlsplit(url).netloc}", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = httpx.post(
            f"{base}/api/report",
            content=sent.model_dump_json(),
            headers=headers,
            timeout=_ANSWERS_WITHIN_S,
            trust_env=False,
        )
        refused = None if answer.is_success else str(answer.json()["message"])
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError, KeyError, TypeError):
        return f"No wall answers at {base}."
    if refused is not None:
        raise UsageError(f"The wall at {base} refuses the report: {refused}")
    return None
