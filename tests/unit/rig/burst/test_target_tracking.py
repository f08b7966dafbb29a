"""Target tracking, with a clock moved by hand; the rules are those of Application Auto Scaling for ECS.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import re
from dataclasses import replace

import pytest
from orderboard.burst.faults.target_tracking import ScalingPolicy, TargetTracking, parse_policy

QUICK = ScalingPolicy(
    1, 8, 100, scale_out_cooldown_s=100, scale_in_cooldown_s=50, period_s=10, out_periods=3, in_periods=5
)


class Service:
    """Workers that follow a policy, and a queue whose backlog is set."""

    def __init__(self, policy: ScalingPolicy) -> None:
        self.tracking = TargetTracking(policy)
        self.period_s = policy.period_s
        self.workers = policy.least
        self.now_s = 0.0

    def periods(self, count: int, *, waiting: int, lag: bool = False) -> list[int]:
        """Let so many periods pass; return the wanted workers after each. lag: new ones are not up yet."""
        found = []
        for _ in range(count):
            self.now_s += self.period_s
            self.tracking.observe(self.now_s - self.period_s / 2, waiting=waiting, workers=self.workers)
            decision = self.tracking.observe(self.now_s, waiting=waiting, workers=self.workers)
            if decision is not None and not lag:
                self.workers = decision.workers
            found.append(self.tracking.desired)
        return found


def test_three_periods_above_the_target_scale_out_in_proportion() -> None:
    """450 messages for one worker, at 100 for each, are work for five."""
    service = Service(QUICK)

    assert service.periods(4, waiting=450) == [1, 1, 5, 5]


def test_the_target_itself_changes_nothing_and_neither_does_a_little_less() -> None:
    """A scale-in takes less than nine tenths of the target."""
    service = Service(QUICK)
    service.periods(3, waiting=200)

    assert service.periods(30, waiting=200) == [2] * 30
    assert service.periods(30, waiting=181) == [2] * 30


def test_what_a_scale_out_added_counts_within_its_cooldown() -> None:
    """While its workers start, the alarm goes on; only a larger scale-out adds more, until the cooldown is over."""
    service = Service(QUICK)

    assert service.periods(6, waiting=300, lag=True) == [1, 1, 3, 3, 3, 3]
    assert service.periods(1, waiting=400, lag=True) == [4]
    # 100 s after the last scale-out, 400 messages for one worker that runs are measured by the four that should.
    assert service.periods(10, waiting=400, lag=True) == [4] * 9 + [8]


def test_a_scale_in_waits_for_its_alarm_and_its_cooldown() -> None:
    """Five periods below nine tenths; the next one 50 s later at the earliest."""
    service = Service(QUICK)
    service.periods(3, waiting=800)

    assert service.workers == 8
    assert service.periods(5, waiting=400) == [8, 8, 8, 8, 4]
    assert service.periods(6, waiting=100) == [4, 4, 4, 4, 1, 1]


def test_a_scale_out_comes_at_once_within_the_cooldown_of_a_scale_in() -> None:
    """And ends that cooldown."""
    service = Service(replace(QUICK, scale_out_cooldown_s=0, scale_in_cooldown_s=10_000))
    service.periods(3, waiting=800)
    assert service.periods(5, waiting=0)[-1] == 1

    assert service.periods(3, waiting=500) == [1, 1, 5]
    assert service.periods(5, waiting=0)[-1] == 1


def test_the_bounds_hold() -> None:
    """Whatever waits."""
    service = Service(replace(QUICK, least=2))

    assert service.periods(3, waiting=1_000_000)[-1] == 8
    assert service.periods(5, waiting=0)[-1] == 2


def test_without_workers_nothing_is_scaled() -> None:
    """Insufficient data is neither high nor low; three data points in a row are needed again."""
    tracking = TargetTracking(QUICK)

    decisions = [
        tracking.observe(10.0 * number, waiting=900, workers=0 if number == 3 else 1) is not None
        for number in range(1, 7)
    ]

    assert decisions == [False, False, False, False, False, True]


def test_the_defaults_are_those_of_ecs() -> None:
    """Five minutes of cooldown; three data points of a minute out, fifteen in."""
    policy = parse_policy("auto:1-8,backlog-per-worker=200")

    assert policy == ScalingPolicy(1, 8, 200, 300, 300, 60, 3, 15, 0.9)
    assert policy.first_after_s == 180


def test_a_policy_can_be_written_again() -> None:
    """Settings that are AWS's are left out."""
    for text in ("auto:1-8,backlog-per-worker=200", "auto:2-2,backlog-per-worker=1.5,period=2s,in-periods=4"):
        assert str(parse_policy(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auto:8", "expected auto:MIN-MAX,backlog-per-worker=N"),
        ("auto:3-2,backlog-per-worker=1", "expected 1 to 32 workers, the least first"),
        ("auto:0-2,backlog-per-worker=1", "expected 1 to 32 workers"),
        ("auto:1-33,backlog-per-worker=1", "expected 1 to 32 workers"),
        ("auto:1-2", "backlog-per-worker is missing"),
        ("auto:1-2,backlog=3", "unknown setting 'backlog'; expected one of backlog-per-worker"),
        ("auto:1-2,backlog-per-worker=0", "expected backlog-per-worker above 0"),
        ("auto:1-2,backlog-per-worker=1,period=0s", "expected period above 0"),
        ("auto:1-2,backlog-per-worker=1,period=5", "expected a duration with a unit"),
        ("auto:1-2,backlog-per-worker=1,out-periods=1.5", "expected a whole number"),
        ("auto:1-2,backlog-per-worker=1,period=5s,period=5s", "period is given twice"),
    ],
)
def test_a_policy_that_is_not_valid_is_explained(text: str, said: str) -> None:
    """With what is expected."""
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_policy(text)
