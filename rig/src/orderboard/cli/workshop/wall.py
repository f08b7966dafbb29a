"""The commands of `orderboard workshop` for the wall, and for the attendees who join it."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import TYPE_CHECKING, Annotated, Final

import typer

from orderboard.system.command_line import to_paste
from orderboard.system.ports import WALL_PORT
from orderboard.terminal.progress import result_console

if TYPE_CHECKING:
    from orderboard.workshop.progress import Membership, Progress
    from orderboard.workshop.workshop import Workshop

WALL_EXAMPLES: Final = ("orderboard workshop wall", "orderboard workshop wall --host 0.0.0.0 --new")
JOIN_EXAMPLES: Final = ("orderboard workshop join --name Ada --wall http://192.0.2.1:8090/#TOKEN",)
LEAVE_EXAMPLES: Final = ("orderboard workshop leave",)
_SHOWN: Final = 3

NameOption = Annotated[
    str | None, typer.Option("--name", help="Your name on the wall.", metavar="NAME", show_default=False)
]
WallOption = Annotated[
    str | None,
    typer.Option(
        "--wall", help="Show your progress on this wall: the address that it prints.", metavar="URL", show_default=False
    ),
]


def wall(
    *,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; 0.0.0.0: all of this machine.", metavar="H")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Its port; 0: any.", metavar="P")] = WALL_PORT,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            help="Who knows it may look and report. Made for an address other than loopback.",
            metavar="T",
            show_default=False,
        ),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Forget the attendees of the last workshop.")] = False,
) -> None:
    """Serve a page that shows everyone's progress as it changes, until Ctrl-C.

    Attendees join it with the address that is printed. It keeps what they report in the state folder.
    """
    from orderboard.console.workshop.wall import addresses, listen, needed_token, serve
    from orderboard.system.workspace import find_workspace
    from orderboard.workshop.wall.attendees import Attendees

    folder = find_workspace().state_dir / "wall"
    token = needed_token(host, token, folder / "token")
    attendees = Attendees(folder)
    if new:
        attendees.forget()
    with listen(host, port) as listening:
        urls = addresses(host, listening.getsockname()[1], token)
        console = result_console()
        for url in urls[:_SHOWN]:
            console.print(f" The wall: {url}", markup=False, soft_wrap=True, highlight=False)
        on_any_machine = f" To join it: orderboard workshop start --name NAME --wall {urls[0]}"
        console.print(on_any_machine, markup=False, soft_wrap=True, highlight=False)
        console.file.flush()  # a file or a pipe has it at once, too
        serve(attendees, listening, token)


def join(
    *,
    name: Annotated[str, typer.Option("--name", help="Your name on the wall.", metavar="NAME")],
    url: Annotated[str, typer.Option("--wall", help="The address that the wall prints.", metavar="URL")],
) -> None:
    """Show your progress on the trainer's wall: name, statuses and times; no code and no texts.

    Each change is reported. A wall that is down gets everything with the next one, or with `workshop status`.
    """
    from orderboard.cli.workshop.exercises import attendees_workshop

    for line in joined(attendees_workshop(), name, url):
        _say(line)


def joined(workshop: "Workshop", name: str, url: str) -> list[str]:
    """Join a wall; return lines that say what it gets, and whether it answered."""
    from orderboard.workshop.wall.report import SENT
    from orderboard.workshop.wall.reporter import address, join

    problem = join(workshop, name, url)
    on_it = f"You are on the wall at {address(url)} as {name}. To leave it: orderboard workshop leave"
    return [on_it, f"It gets {SENT}.", *([] if problem is None else [problem])]


def state_of_wall(progress: "Progress", wall: "Membership") -> str:
    """Report the progress once more to the wall that was joined; return a sentence about it."""
    from orderboard.workshop.wall.reporter import address, send_again

    return send_again(progress) or f"On the wall at {address(wall.url)} as {wall.name}."


def leave() -> None:
    """Leave the wall: your row goes, and nothing more is reported."""
    from orderboard.cli.workshop.exercises import attendees_workshop
    from orderboard.workshop.wall.reporter import LEFT, ROW_STAYS
    from orderboard.workshop.wall.reporter import leave as leave_wall

    problem = leave_wall(attendees_workshop())
    _say(LEFT if problem is None else f"{ROW_STAYS} {problem}")


def _say(text: str) -> None:
    result_console().print(to_paste(text), markup=False, soft_wrap=True, highlight=False)
