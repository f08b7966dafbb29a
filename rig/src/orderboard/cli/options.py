"""Options that several commands share."""

from typing import Annotated, Literal

import typer
from orderboard_stack.backend import BackendName

BackendOption = Annotated[
    BackendName | None,
    typer.Option(
        "--backend",
        help="embedded (localbus and MiniStack: the default, needs nothing), ministack (MiniStack alone), localstack "
        "(needs Docker) or aws.",
        metavar="NAME",
        show_default=False,
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option("--endpoint-url", help="Use the running backend at this URL.", metavar="URL", show_default=False),
]
DisorderOption = Annotated[
    str | None,
    typer.Option(
        "--disorder",
        help="Make queues and rules as unreliable as AWS allows: duplicates, reordering, missed_polls, "
        "doubled_events, each with its probability, such as seed=7,duplicates=0.05 (embedded only).",
        metavar="SETTINGS",
        show_default=False,
    ),
]
ManualClockOption = Annotated[
    bool,
    typer.Option("--manual-clock", help="Stop the queues' clock until the console moves it (embedded only)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for scripts.")]
AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account",
        help="Go on only if the credentials are of this AWS account (aws only).",
        metavar="ID",
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation (aws only).")]
ApiUrlOption = Annotated[
    str | None,
    typer.Option(
        "--api-url", help="The URL of order-api, if not the one that `up` started.", metavar="URL", show_default=False
    ),
]
StackNameOption = Annotated[
    str | None,
    typer.Option("--stack-name", help="The stack's name, if not `orderboard`.", metavar="NAME", show_default=False),
]
WorkerOption = Annotated[
    Literal["container", "lambda"],
    typer.Option(
        "--worker",
        help="The worker as processes (container) or as one Lambda function on event source mappings (lambda).",
        metavar="container|lambda",
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, max=32, help="The number of workers to run.", metavar="N")
]
