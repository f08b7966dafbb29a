"""The options of a burst, annotated for the command line: they join its signature. `plan` checks them."""

from dataclasses import dataclass

from orderboard.burst.options.faults import FaultOptions
from orderboard.burst.options.load import LoadOptions
from orderboard.burst.options.result import ResultOptions
from orderboard.burst.options.target import TargetOptions


@dataclass(frozen=True, kw_only=True)
class BurstOptions(ResultOptions, TargetOptions, FaultOptions, LoadOptions):
    """Options as typed, those of the last class first; None where an option was left out."""
