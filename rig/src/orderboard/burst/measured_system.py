"""The system for one measurement: a new stack whose workers accept faults."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from orderboard_stack.backend import DEFAULT_BACKEND, BackendName
from orderboard_stack.process import HOST

from orderboard.orders.kinds import SOLD_OUT_SKU
from orderboard.system.services import ServiceOptions
from orderboard.system.state import WorkerCompute
from orderboard.system.system import PATIENT_RECEIVES, SystemOptions

# An alert whose batch was interrupted is soon tried again, and as often as it takes.
_OF_FAULTY: Final = {
    "NotifierTimeoutS": "4",
    "AlertsVisibilityTimeoutS": "24",
    "AlertsMaxReceiveCount": PATIENT_RECEIVES,
}


@dataclass(frozen=True)
class Where:
    """The backend to use, and its faults. api_host: the address of order-api, with its token if it is not loopback."""

    backend: BackendName | None = None
    endpoint_url: str | None = None
    disorder: str | None = None
    yes: bool = False
    api_host: str = HOST
    api_token: str | None = field(default=None, repr=False)


def measured_system(
    name: str,
    where: Where,
    *,
    logs_dir: Path,
    workers: int,
    visibility_timeout_s: int,
    faulty: bool = False,
    worker: WorkerCompute = "container",
) -> SystemOptions:
    """Return the options of a system for one measurement, with its own stack. faulty: its backend will have faults.

    A worker that is a function has the template's visibility timeout, which fits its time limit.
    """
    return SystemOptions(
        backend=where.backend or DEFAULT_BACKEND,
        endpoint_url=where.endpoint_url,
        stack_name=name,
        prefix=name,
        parameters={
            **({"WorkVisibilityTimeoutS": str(visibility_timeout_s)} if worker == "container" else {}),
            "WithDashboard": "false",
            **(_OF_FAULTY if faulty else {}),
        },
        worker=worker,
        services=ServiceOptions(
            logs_dir=logs_dir,
            api_host=where.api_host,
            api_token=where.api_token,
            workers=workers,
            allow_faults=True,
            worker_environment={"ORDERBOARD_SOLD_OUT": SOLD_OUT_SKU},
        ),
        keeps_stack=False,
        yes=where.yes,
        disorder=where.disorder,
    )
