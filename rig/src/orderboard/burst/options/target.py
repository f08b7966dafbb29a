"""The options of a burst's system, and of its cost."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer


def _target(help_text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="The system", show_default=False, **more)


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """The system that the burst is sent to, and its cost."""

    running: Annotated[
        bool,
        _target(
            "The system that `up` runs here, instead of a new one. Only this burst's orders are judged.", "--running"
        ),
    ] = False
    api_url: Annotated[
        str | None,
        _target(
            "Any order-api, instead of a new system; its token is in ORDERBOARD_API_TOKEN. With --stack-name, "
            "--backend or --endpoint-url its stack is read, for a verdict on every order; without, only its answers "
            "are judged.",
            metavar="URL",
        ),
    ] = None
    stack_name: Annotated[str | None, _target("The stack of that order-api, if not `orderboard`.", metavar="NAME")] = (
        None
    )
    max_cost: Annotated[
        float | None,
        _target("Refuse a plan that may cost more on AWS; all repetitions together.", metavar="USD", min=0),
    ] = None
    price: Annotated[
        list[str] | None,
        _target(
            "A price of the estimate, in USD a million: sns, sqs, lambda, eventbridge, dynamodb-write, dynamodb-read, "
            "such as sqs=0.5. Repeatable.",
            metavar="SERVICE=USD",
        ),
    ] = None
