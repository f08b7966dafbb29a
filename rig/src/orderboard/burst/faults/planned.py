"""The faults of a burst, from its options: every check that can fail before anything starts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orderboard_stack.backend import DEFAULT_BACKEND

from orderboard.burst.faults.engine import HAS_FULL_DISK
from orderboard.burst.faults.schedule import (
    Action,
    Fault,
    overlap,
    parse_freeze,
    parse_full_disk,
    parse_kill,
    parse_settings,
    parse_stop,
    parse_workers,
)
from orderboard.burst.faults.target_tracking import ScalingPolicy, parse_policy
from orderboard.burst.measured_system import Where
from orderboard.burst.scenario.config import BurstConfig
from orderboard.errors import UsageError
from orderboard.option_values import parsed
from orderboard.system.fault_settings import api_faults, delivery_faults

_AUTO: Final = "auto:"


@dataclass(frozen=True)
class PlannedFaults:
    """The number of workers and the delivery faults at the start, and the faults to come, in order."""

    workers: int
    disorder: str | None
    faults: tuple[Fault, ...]
    scaling: ScalingPolicy | None = None


def plan_faults(config: BurstConfig, where: Where) -> PlannedFaults:
    """Check the options; raise UsageError."""
    if config.worker == "lambda" and (typed := _of_processes(config)):
        raise UsageError(
            f"{typed}: this needs workers that are processes, and --worker lambda has none. Leave one of them out."
        )
    scaling = _scaling(config)
    workers, of_services = _workers(config)
    disorder, of_engine = _engine_faults(config, where)
    faults = [*of_services, *of_engine]
    if (conflict := overlap(faults)) is not None:
        raise UsageError(f"The faults overlap: {conflict}.")
    return PlannedFaults(
        workers if scaling is None else scaling.least,
        disorder,
        tuple(sorted(faults, key=lambda fault: fault.at_s)),
        scaling,
    )


def _of_processes(config: BurstConfig) -> str | None:
    """Return the first option that only workers with processes can have."""
    options = {
        "--workers": () if config.workers == ("1",) else config.workers,
        "--stop-worker": config.stop_worker,
        "--freeze-worker": config.freeze_worker,
        "--kill-worker": config.kill_worker,
    }
    return next((f"{name} {values[0]}" for name, values in options.items() if values), None)


def _scaling(config: BurstConfig) -> ScalingPolicy | None:
    """Return the policy of workers that scale by themselves."""
    policies = [text for text in config.workers if text.startswith(_AUTO)]
    if policies and len(config.workers) > 1:
        raise UsageError(f"--workers {policies[0]}: it sets the number all the time, so leave out the other --workers.")
    return parsed("--workers", parse_policy, policies[0]) if policies else None


def _workers(config: BurstConfig) -> tuple[int, list[Fault]]:
    """Return the number of workers at the start, and the faults of services."""
    faults: list[Fault] = []
    for text in config.stop_worker:
        faults += parsed("--stop-worker", parse_stop, text)
    for text in config.freeze_worker:
        faults += parsed("--freeze-worker", parse_freeze, text)
    faults += [*_kills("--kill-worker", config.kill_worker), *_kills("--kill-api", config.kill_api)]
    at_start: list[int] = []
    counts = [text for text in config.workers if not text.startswith(_AUTO)]
    for wanted in (parsed("--workers", parse_workers, text) for text in counts):
        if isinstance(wanted, Fault):
            faults.append(wanted)
        else:
            at_start.append(wanted)
    if len(at_start) > 1:
        raise UsageError(f"--workers {at_start[0]} and {at_start[1]}: give the later one a time, such as 2@12s.")
    return at_start[0] if at_start else 1, faults


def _engine_faults(config: BurstConfig, where: Where) -> tuple[str | None, list[Fault]]:
    """Return the delivery faults at the start, and the faults of the backend."""
    faults = [*_kills("--kill-backend", config.kill_backend)]
    for text in config.full_disk:
        if not HAS_FULL_DISK:
            raise UsageError(f"--full-disk {text}: only Linux can limit the files of a running process.")
        faults.append(parsed("--full-disk", parse_full_disk, text))
    faults += _settings("--faults", "faults", config.faults, api_faults)
    disorder = _settings("--disorder", "disorder", config.disorder, delivery_faults)
    at_start = [fault.settings for fault, text in zip(disorder, config.disorder, strict=True) if "@" not in text]
    if len(at_start) > 1:
        raise UsageError(f"--disorder {at_start[0]} and {at_start[1]}: give the later one a time, such as @12s.")
    faults += [fault for fault, text in zip(disorder, config.disorder, strict=True) if "@" in text]
    if faults and (where.endpoint_url is not None or (where.backend or DEFAULT_BACKEND) != "embedded"):
        raise UsageError(
            "--kill-backend, --faults, --full-disk and --disorder with a time work only with the embedded backend, "
            "started here. Leave out --backend and --endpoint-url."
        )
    return at_start[0] if at_start else None, faults


def _kills(option: str, texts: Sequence[str]) -> Iterator[Fault]:
    action: Action = option.removeprefix("--")  # type: ignore[assignment]
    return (parsed(option, lambda text: parse_kill(text, action), text) for text in texts)


def _settings(option: str, action: Action, texts: Sequence[str], check: Callable[[str], object]) -> list[Fault]:
    found = [parsed(option, lambda text: parse_settings(text, action), text) for text in texts]
    for fault in found:
        parsed(option, check, fault.settings)
    return found
