"""The system that --running or --api-url names, and what cannot be asked of it. Nothing is contacted here."""

from dataclasses import dataclass, field
from os import environ
from typing import Final
from urllib.parse import urlsplit

from orderboard_stack.backend import BackendName

from orderboard.burst.judge.metrics import COUNTS
from orderboard.burst.judge.threshold_text import parse_threshold
from orderboard.burst.load.mix import parse_mix
from orderboard.burst.measured_system import Where
from orderboard.burst.model import OF_LEDGER
from orderboard.burst.options import BurstOptions
from orderboard.burst.scenario.config import BurstConfig
from orderboard.errors import UsageError
from orderboard.option_values import parsed
from orderboard.system.connect import api_address
from orderboard.system.state import State, StateFile
from orderboard.system.workspace import find_workspace

TOKEN_VARIABLE: Final = "ORDERBOARD_API_TOKEN"  # noqa: S105 - its name
# Without orders that need workers with faults or with an item that is sold out.
MIX: Final = "express=10,large=2,invalid=1,duplicate=2,cancel=2"
_OF_FAULTS: Final = ("flaky", "slow", "poison")
_OF_SYSTEM: Final = (
    *("workers", "stop_worker", "freeze_worker", "kill_worker", "kill_api", "kill_backend"),
    *("disorder", "faults", "full_disk"),
)
_LOCAL_HOSTS: Final = ("127.0.0.1", "localhost", "::1")
_OF_ANSWERS: Final = frozenset(COUNTS) - {*OF_LEDGER, "unsettled", "dead_lettered_duplicates"}


@dataclass(frozen=True)
class NamedTarget:
    """order-api at a URL, and where its stack is read, if it is. state: of `up`, if that runs it."""

    api_url: str
    has_stack: bool
    backend: BackendName | None = None
    endpoint_url: str | None = None
    stack_name: str | None = None
    state: State | None = None
    token: str | None = field(default=None, repr=False)

    @property
    def is_local(self) -> bool:
        """Return whether order-api runs on this machine."""
        return urlsplit(self.api_url).hostname in _LOCAL_HOSTS

    def fitted(self, config: BurstConfig) -> BurstConfig:
        """Return the configuration with a mix that this system takes; raise UsageError for what it cannot do."""
        for name in _OF_SYSTEM:
            if getattr(config, name) != BurstConfig.model_fields[name].default:
                raise UsageError(f"--{name.replace('_', '-')}: {self._why_unchanged()}")
        streams = []
        for each in config.streams:
            if each.own_orders is None and each.mix is None:
                each = each.model_copy(update={"mix": MIX})  # noqa: PLW2901
            elif each.mix is not None:
                self._check_mix(each.mix)
            streams.append(each)
        if not self.has_stack:
            for option, texts in (
                ("--expect", config.expect),
                *(("stream, expect", each.expect) for each in config.streams),
            ):
                for text in texts:
                    self._check_threshold(option, text)
            for text in config.abort_on_fail:
                self._check_threshold("--abort-on-fail", text)
        return config.model_copy(update={"stream": tuple(streams)})

    def _why_unchanged(self) -> str:
        if not self.has_stack:
            return f"only order-api at {self.api_url} is known, not its stack, so nothing else of it can be changed."
        return "others may use the running system, so a burst changes nothing of it. Leave out --running and --api-url."

    def _check_mix(self, text: str) -> None:
        kinds = [name for name, percent in parsed("--mix", parse_mix, text).percent if percent]
        if self.state is None:
            return
        needs_faults = next((kind for kind in kinds if kind in _OF_FAULTS), None)
        if needs_faults is not None and not self.state.allow_faults:
            raise UsageError(
                f"--mix {needs_faults}: the running system refuses such orders; start `up --allow-faults`."
            )
        if "sold_out" in kinds and not self.state.worker_environment.get("ORDERBOARD_SOLD_OUT"):
            raise UsageError(
                "--mix sold_out: nothing is sold out in the running system; ORDERBOARD_SOLD_OUT is not set."
            )

    def _check_threshold(self, option: str, text: str) -> None:
        metric = parsed(option, parse_threshold, text).metric
        if metric not in _OF_ANSWERS and not metric.startswith(("accept", "generator_", "load")):
            raise UsageError(
                f"{option} {text}: {metric} needs the stack of {self.api_url}; name it with --endpoint-url, --backend "
                "or --stack-name."
            )


def named_target(options: BurstOptions, where: Where) -> NamedTarget | None:
    """Return the target that the options name; None for a system that is started. Raise UsageError or RigError."""
    if options.running and options.api_url is not None:
        raise UsageError("--running is the system that `up` started here: leave out --api-url, or --running.")
    if not options.running and options.api_url is None:
        if options.stack_name is not None:
            raise UsageError(
                "--stack-name is for a running system: give --api-url, too. Without it, a burst starts its own stack."
            )
        return None
    api_url = api_address(options.api_url)
    state = StateFile(find_workspace().state_dir).read()
    if state is not None and state.api_url != api_url:
        state = None
    typed = (where.backend, where.endpoint_url, options.stack_name)
    if state is not None and state.on_ecs:  # no process of it is here
        typed, state = (
            (where.backend or state.backend, where.endpoint_url, options.stack_name or state.stack_name),
            None,
        )
    if state is not None and (where.endpoint_url not in (None, state.endpoint_url) or options.stack_name):
        state = None
    return NamedTarget(
        api_url,
        state is not None or any(each is not None for each in typed),
        *typed,
        state=state,
        token=environ.get(TOKEN_VARIABLE) or None,
    )
