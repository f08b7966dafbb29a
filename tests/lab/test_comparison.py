"""The comparison that courses teach: complete, and shown by experiments that exist."""

from orderboard.lab.catalogue import names
from orderboard.lab.comparison import CELLS, Verdict


def test_each_cell_is_shown_by_experiments() -> None:
    """Each cell names at least one experiment, and all of them exist."""
    known = names()

    assert [cell for cell in CELLS if not cell.experiments] == []
    assert [name for cell in CELLS for name in cell.experiments if name not in known] == []


def test_each_aspect_has_all_three_services() -> None:
    """Each aspect has a cell for SQS, SNS and EventBridge, but for the one about all of them."""
    aspects: dict[str, list[str]] = {}
    for cell in CELLS:
        aspects.setdefault(cell.aspect, []).append(cell.service)

    assert aspects.pop("Coupling") == ["all"]
    assert {tuple(services) for services in aspects.values()} == {("SQS", "SNS", "EventBridge")}


def test_what_courses_get_wrong_is_named() -> None:
    """Statements that AWS's pages contradict are wrong: filters of queues, the loss of what a consumer misses."""
    wrong = {(cell.aspect, cell.service) for cell in CELLS if cell.verdict is Verdict.WRONG}

    assert {("Filtering", "SQS"), ("A consumer is away", "SNS"), ("A consumer is away", "EventBridge")} <= wrong
