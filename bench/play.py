"""One burst on the ground's system, without a view: what is measured of it is its caller's part."""

from ground import Ground
from orderboard.burst.mix import Mix
from orderboard.burst.report.live_view import Now
from orderboard.burst.runner import Conductor, Plan, Played

_NORMAL = Mix()


class _Quiet:
    """The table at the end says enough."""

    def update(self, now: Now) -> None:
        pass

    def looking(self) -> None:
        pass


def play(ground: Ground, orders: int, rate: float, mix: Mix = _NORMAL) -> Played:
    """Send so many orders at so many a second, and wait until all have ended."""
    ground.runs += 1
    plan = Plan(
        orders=mix,
        times_s=[number / rate for number in range(orders)],
        seed=ground.runs,
        run=f"bench-{ground.runs}",
        connections=512,
        faults=(),
        give_up_after_s=30,
    )
    with ground.awake():
        return Conductor(ground.system, plan, _Quiet()).play()
