"""`orderboard show`: the story of one order."""

# ruff: noqa: PLC0415 - `orderboard --help` must answer at once

from typing import Annotated, Final

import typer

from orderboard.cli.options import BackendOption, EndpointOption, JsonOption, StackNameOption
from orderboard.errors import RigError
from orderboard.terminal.progress import print_json, result_console

EXAMPLES: Final = ("orderboard show 9b2d1f0e-6a0b-5c3e-8f64-6d2f0a1c7b11",)


def show(
    order_id: Annotated[str, typer.Argument(help="The order's id, as the API answered it.")],
    *,
    backend: BackendOption = None,
    endpoint_url: EndpointOption = None,
    stack_name: StackNameOption = None,
    json_output: JsonOption = False,
) -> None:
    """Tell the whole story of one order: its record, its waits, its alerts, its dead letters, its log lines."""
    from orderboard.cli.story_report import document
    from orderboard.cli.story_report import show as show_story
    from orderboard.orders.timeline import tell
    from orderboard.system.connect import connect, local_logs
    from orderboard.system.workspace import find_workspace

    target = connect(backend, endpoint_url, stack_name)
    workspace = find_workspace()
    story = tell(
        target, order_id.strip().lower(), workspace.logs_dir if local_logs(target.endpoint, workspace) else None
    )
    if json_output:
        print_json(document(story))
    else:
        show_story(story, result_console())
    if not story.known:
        raise RigError(f"Nothing is known of {order_id}. Is the id complete, and was it placed on this system?")
