"""The AWS CLI without its start of half a second a call: a program `aws` that sends its arguments to a warm one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clients.installed import HERE, python_environment

# A script lets the output of a call in the background go to a file, and that of others to a pipe or nowhere.
_SHIM: Final = """#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
[ -f /dev/stdout ] && place=background || place=foreground
printf '%s\\0' "$place" "$#" "$@" >&3
IFS= read -r -d '' code <&3
IFS= read -r -d '' output <&3
IFS= read -r -d '' errors <&3
printf '%s' "$output"
printf '%s' "$errors" >&2
exit "$code"
"""


@contextmanager
def warm_cli(folder: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Start the CLI with this environment, which is that of each call; the folder that has the program `aws`."""
    python = python_environment(HERE / "awscli.lock") / "python"
    server = subprocess.Popen(
        [python, HERE / "tools" / "warm_aws.py"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        shim = folder / "aws"
        shim.write_text(_SHIM.format(port=server.stdout.readline().strip()))
        shim.chmod(0o755)
        yield folder
    finally:
        server.kill()
        server.communicate()
