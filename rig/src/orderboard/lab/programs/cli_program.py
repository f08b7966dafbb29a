"""An experiment as a bash script with the AWS CLI, which a person can keep, run alone and change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orderboard.errors import UsageError
from orderboard.lab.catalogue import Entry
from orderboard.lab.experiment import Experiment
from orderboard.lab.program import Program
from orderboard.lab.programs.cli_helpers import text_of, with_needed
from orderboard.lab.programs.cli_story import Story
from orderboard.lab.programs.cli_values import Values
from orderboard.lab.programs.introduction import introduction
from orderboard.lab.programs.names import names_of
from orderboard.lab.steps import Call, Each, Finish, Kept, Serve, Until

_WIDTH: Final = 92
# Values that need no escapes inside a string of JSON.
_SAFE: Final = re.compile(r"(.*\W)?\w*(Arn|ARN|Url|Id|UUID|ReceiptHandle|Name|Token|Timestamp|Time|State|Number)")
_PLAIN_ITEM: Final = re.compile(r"[^\"\\\x00-\x1f]*")
_RESERVED: Final = ("differences", "removals", "deadline")


def cli_program(entry: Entry) -> str:
    """Return the text of a script that takes the steps of an experiment."""
    experiment = entry.experiment
    if isinstance(experiment, Program):
        raise UsageError(
            f"{entry.name} needs threads, which a script does not have: orderboard lab code {entry.name} --boto3"
        )
    names = names_of(experiment, _RESERVED)
    addresses = frozenset(each.url for each in experiment.all_steps() if isinstance(each, Serve))
    story = Story(names, Values(names, frozenset(_safe(experiment)), addresses))
    story.steps(experiment.steps)
    helpers = with_needed(story.helpers | story.values.helpers, story.rules)
    parts = [
        "\n".join(_head(entry, "\n".join(story.lines))),
        *(text_of(each, story.rules, keeps=story.keeps_responses) for each in helpers),
        "\n".join(_ending(story, helpers)),
        "\n".join(["# The experiment.", "", *story.lines]).rstrip(),
    ]
    return "\n\n".join(parts) + "\n"


def _safe(experiment: Experiment) -> Iterator[str]:
    for step in experiment.all_steps():
        match step:
            case Call(keeps=keeps) | Finish(Call(keeps=keeps)) | Until(Call(keeps=keeps)):
                yield from (each.variable.name for each in keeps if _is_safe(each))
            case Each(variable, items) if all(_PLAIN_ITEM.fullmatch(each) for each in items):
                yield variable.name
            case Serve(_, url):
                yield url.name
            case _:
                pass


def _is_safe(kept: Kept) -> bool:
    return _SAFE.fullmatch(kept.path) is not None


def _head(entry: Entry, story: str) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    lines = introduction(entry, command=f"bash {entry.name}.sh", before=[], width=_WIDTH - 2)
    yield from (f"# {line}".rstrip() for line in lines)
    if "`" in story:
        yield "#"
        yield "# shellcheck disable=SC2016 # backquotes in a --query stand around a literal of JMESPath"
    yield ""
    yield "set -euo pipefail"
    yield "export AWS_MAX_ATTEMPTS=1 AWS_PAGER=''"
    yield 'if [ -n "${AWS_ENDPOINT_URL:-}" ]; then # a local engine takes any credentials'
    yield "  export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-test}"
    yield "  export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-test}"
    yield "  export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1}"
    yield "fi"
    yield ""
    if "$RUN" in story:
        yield 'printf -v RUN "lab-%04x%04x" "$RANDOM" "$RANDOM" # the beginning of all names'
    yield "SCRATCH=$(mktemp -d)"
    yield "differences=0"
    yield "removals=''"


def _ending(story: Story, helpers: list[str]) -> Iterator[str]:
    if story.settings:
        yield 'if [ -z "$(localbus GET clock 2>/dev/null)" ]; then'
        yield "  echo 'Cannot occur here: it needs localbus, at AWS_ENDPOINT_URL.'"
        yield "  exit 2"
        yield "fi"
        yield from (f"{kind}_before=$(localbus GET {kind})" for kind in sorted(story.settings))
        yield ""
    yield "# Remove what the experiment made, also after an error or Ctrl-C, and say how it ended."
    yield "cleanup() {"
    yield "  local status=$? removal"
    yield "  trap - EXIT"
    yield "  set +e"
    for kind in sorted(story.settings):
        yield f'  localbus PUT {kind} "${kind}_before" >/dev/null'
    yield "  while IFS= read -r removal; do"
    yield '    eval "$removal" </dev/null >/dev/null 2>"$SCRATCH/error" ||'
    yield '      grep -Eq "NonExistentQueue|NotFound|NoSuchEntity" "$SCRATCH/error" ||'
    yield '      echo "Not removed: $removal$(<"$SCRATCH/error")"'
    yield '  done <<<"$removals"'
    if "serve" in helpers or any(line.endswith("&") for line in story.lines):
        yield "  jobs -p | xargs kill 2>/dev/null"
    yield '  rm -rf "$SCRATCH"'
    yield '  if [ "$status" -ge 128 ] && [ "$status" -lt 200 ]; then'
    yield "    echo 'Broken off.'"
    yield '    exit "$status"'
    yield '  elif [ "$status" -ne 0 ]; then'
    yield "    echo '  DIFFERS  a call failed'"
    yield "    differences=1"
    yield "  fi"
    yield '  if [ "$differences" -gt 0 ]; then'
    yield r"    printf '\nIt differs.\n'"
    yield "    exit 1"
    yield "  fi"
    yield r"  printf '\nReproduced.\n'"
    yield "  exit 0"
    yield "}"
    yield "trap cleanup EXIT"
    yield "trap 'exit 130' INT"
    yield "trap 'exit 143' TERM"
