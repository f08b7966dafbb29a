"""The repetitions of a burst: the same options, a folder each, and a tag in common, by which `compare` finds them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from orderboard.burst.options import BurstOptions
from orderboard.burst.runs.folders import claim_folder
from orderboard.burst.runs.kept import parse_tag
from orderboard.option_values import parsed


def repetitions(options: BurstOptions) -> Sequence[BurstOptions]:
    """Return the options of each run; raise UsageError. Without --tag, several runs get a tag that names the time."""
    tags = [parsed("--tag", parse_tag, tag) for tag in options.tag or ()]
    if options.repeat == 1:
        return [replace(options, tag=tags)]
    tags = tags or [f"repeat-{datetime.now().astimezone():%Y%m%d-%H%M%S}"]
    out = options.out
    if out is not None:
        claim_folder(out)
    return [
        replace(options, tag=tags, out=None if out is None else out / str(number))
        for number in range(1, options.repeat + 1)
    ]
