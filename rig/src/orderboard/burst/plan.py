"""Turns options into a plan: after every check, it claims the folder and names the system."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderboard.burst.export.files import parse_formats
from orderboard.burst.measured_system import Where, measured_system
from orderboard.burst.options import BurstOptions
from orderboard.burst.runs.folders import LOGS, claim_folder, make_folder
from orderboard.burst.scenario.check import CheckedBurst, check
from orderboard.errors import UsageError
from orderboard.option_values import parsed
from orderboard.system.system import SystemOptions

# Short, so that orders in flight at a worker that died come back while one watches.
_VISIBILITY_TIMEOUT_S: Final = 10


@dataclass(frozen=True, kw_only=True)
class PlannedBurst(CheckedBurst):
    """A burst with its system and its folder."""

    system: SystemOptions
    out: Path
    tags: tuple[str, ...] = ()
    note: str = ""
    exports: tuple[str, ...] = ()


def plan_burst(options: BurstOptions, where: Where) -> PlannedBurst:
    """Check the options and make the folders; raise UsageError."""
    checked = check(options, where)
    if options.junit is not None:
        if options.junit.is_dir():
            raise UsageError(f"--junit {options.junit}: expected a file, not a folder.")
        make_folder("--junit", options.junit.parent)
    out = claim_folder(options.out)
    system = measured_system(
        f"orderboard-burst-{secrets.token_hex(3)}",
        checked.where,
        logs_dir=out / LOGS,
        workers=checked.settings.workers,
        visibility_timeout_s=_VISIBILITY_TIMEOUT_S,
        faulty=any(fault.needs_embedded for fault in checked.plan.faults),
    )
    return PlannedBurst(
        **vars(checked),
        system=system,
        out=out,
        tags=tuple(options.tag or ()),
        note=options.note.strip(),
        exports=() if options.export is None else parsed("--export", parse_formats, options.export),
    )
