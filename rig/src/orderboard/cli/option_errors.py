"""Errors of options that the command line's library finds: the option, the value, and what was expected."""

from typing import Any, get_args

import typer


def option_error(error: typer.BadParameter) -> str | None:
    """Return the error of an option's value in this project's words; None for any other error."""
    failures: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    param: Any = error.param
    if not failures or param is None:
        return None
    runtime = param.get_runtime_param()
    arguments = get_args(runtime.annotation)  # of a list, the type of its elements; of a Literal, its values
    kind = arguments[0] if arguments else runtime.annotation
    name = param.opts[0] if param.param_type_name == "option" else (param.metavar or param.name.upper()).strip("[]")
    value = failures[0]["input"]
    if kind not in (int, float):
        return (
            f"{name} {value}: expected {', '.join(arguments[:-1])} or {arguments[-1]}." if len(arguments) > 1 else None
        )
    least, most = runtime.parameter_info.min, runtime.parameter_info.max
    expected = "a whole number" if kind is int else "a number"
    if least is not None:
        expected += f" from {least:,}"
    if most is not None:
        expected += f" to {most:,}"
    return f"{name} {value}: expected {expected}."
