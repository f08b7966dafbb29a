"""Turns options into a plan: after every check, it claims the folder and names the system."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from orderboard.burst.export.files import parse_formats
from orderboard.burst.measured_system import Where, measured_system
from orderboard.burst.measurement import Plan
from orderboard.burst.model import Cost, Settings
from orderboard.burst.options import BurstOptions
from orderboard.burst.report.cost import parse_price
from orderboard.burst.runs.folders import LOGS, claim_folder, make_folder
from orderboard.burst.scenario.check import CheckedBurst, check
from orderboard.burst.targets.estimate import check_cap, estimate, planned_orders
from orderboard.burst.targets.given_system import stack_of
from orderboard.errors import UsageError
from orderboard.option_values import parsed
from orderboard.system.system import SystemOptions
from orderboard.system.target import Target

# Short, so that orders in flight at a worker that died come back while one watches.
_VISIBILITY_TIMEOUT_S: Final = 10
_DEAD_LETTERED_WITHIN_S: Final = 30.0  # after the last try


@dataclass(frozen=True, kw_only=True)
class PlannedBurst(CheckedBurst):
    """A burst with its system and its folder."""

    system: SystemOptions
    out: Path
    tags: tuple[str, ...] = ()
    note: str = ""
    exports: tuple[str, ...] = ()
    stack: Target | None = None  # of the target
    estimated: Cost | None = None  # None: it costs nothing, or the number of orders is not known
    prices: Mapping[str, float] = field(default_factory=dict)

    @property
    def may_cost(self) -> bool:
        """Return whether it may send to AWS: its backend is AWS, or an order-api that is not on this machine."""
        return _may_cost(self)

    @property
    def answers_only(self) -> bool:
        """Return whether the stack of its target is not read."""
        return self.target is not None and self.stack is None


def plan_burst(options: BurstOptions, where: Where) -> PlannedBurst:
    """Check the options and make the folders; raise UsageError."""
    checked = check(options, where)
    if options.junit is not None:
        if options.junit.is_dir():
            raise UsageError(f"--junit {options.junit}: expected a file, not a folder.")
        make_folder("--junit", options.junit.parent)
    estimated = _estimated(options, checked)
    stack = None if checked.target is None else stack_of(checked.target)
    out = claim_folder(options.out)
    system = measured_system(
        f"orderboard-burst-{secrets.token_hex(3)}",
        checked.where,
        logs_dir=out / LOGS,
        workers=checked.settings.workers,
        visibility_timeout_s=_VISIBILITY_TIMEOUT_S,
        faulty=any(fault.needs_embedded for fault in checked.plan.faults),
        worker=checked.settings.worker,
    )
    return PlannedBurst(
        **{**vars(checked), "settings": _settings(checked, stack), "plan": plan_for_stack(checked.plan, stack)},
        system=system,
        stack=stack,
        estimated=estimated,
        out=out,
        tags=tuple(options.tag or ()),
        note=options.note.strip(),
        exports=() if options.export is None else parsed("--export", parse_formats, options.export),
        prices=_prices(options),
    )


def _may_cost(checked: CheckedBurst) -> bool:
    target = checked.target
    if checked.where.endpoint_url is None and checked.where.backend == "aws":
        return True
    return target is not None and target.state is None and not target.is_local


def _prices(options: BurstOptions) -> dict[str, float]:
    return dict(parsed("--price", parse_price, text) for text in options.price or ())


def _estimated(options: BurstOptions, checked: CheckedBurst) -> Cost | None:
    """Estimate the cost and compare it with the cap; raise UsageError."""
    prices = _prices(options)
    orders = planned_orders(checked.plan.streams)
    found = None if orders is None else estimate(orders, checked.settings.duration_s, prices)
    if options.max_cost is not None and _may_cost(checked):
        if options.find_limit:
            raise UsageError("--find-limit sends as many bursts as it takes: leave out --max-cost.")
        check_cap(found, options.max_cost, repeat=options.repeat)
    return found


def plan_for_stack(plan: Plan, stack: Target | None) -> Plan:
    """Return the plan, whose drain is not given up while a message that fails may still be tried again."""
    if stack is None:
        return plan
    tried_s = int(stack.outputs.work_visibility_timeout_s) * int(stack.outputs.work_max_receive_count)
    return replace(plan, give_up_after_s=max(plan.give_up_after_s, tried_s + _DEAD_LETTERED_WITHIN_S))


def _settings(checked: CheckedBurst, stack: Target | None) -> Settings:
    """Return the settings with the system that the burst is sent to."""
    target = checked.target
    if target is None:
        return checked.settings
    if stack is None:
        described, backend = f"order-api at {target.api_url}, without its stack", "unknown"
    else:
        described, backend = f"order-api at {target.api_url}, bus {stack.outputs.bus_name}", stack.endpoint.name
    of_system: dict[str, object] = {"target": described, "backend": backend}
    if stack is not None and stack.outputs.worker_function is not None:
        return checked.settings.model_copy(update={**of_system, "workers": 1, "worker": "lambda"})
    workers = 0 if target.state is None else sum(each.name.startswith("worker") for each in target.state.processes)
    return checked.settings.model_copy(update={**of_system, "workers": workers, "worker": "container"})
