"""Exercise 9: the pattern."""

from typing import ClassVar, Final

import pytest
from orderboard.errors import UsageError
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, deploy_changed, unmet

_FILE: Final = "my_baker.yaml"


class TestThePattern(CheckedExercise):
    """Its check."""

    number = 9
    wrong: ClassVar[WrongAnswers] = {
        "the order is looked for in detail": (
            deploy_changed(_FILE, ("OrderPlaced", "orderboard.order.placed.v1"), of="start"),
            "0 of 3 tickets",
        ),
        "more than 20.00": (deploy_changed(_FILE, ('">=", 2000', '">", 2000')), "3 croissants, 20.00 €"),
        "exactly 3 croissants": (deploy_changed(_FILE, ('{numeric: [">=", 3]}', "3")), "10 croissants, 26.00 €"),
        "each quantity up to 12 in a list": (
            deploy_changed(_FILE, ('{numeric: [">=", 3]}', "3, 4, 5, 6, 7, 8, 9, 10, 11, 12")),
            "50 croissants, 134.80 €",
        ),
        "nobody whose name begins as ada's": (
            deploy_changed(_FILE, ("{anything-but: ada}", "{anything-but: {prefix: ada}}")),
            "Missing: adam's",
        ),
        "fields left out until it matches": (
            deploy_changed(
                _FILE,
                ("        detail-type: [orderboard.order.placed.v1]\n", ""),
                ("            customer_id: [{anything-but: ada}]\n", ""),
            ),
            "Needless tickets: ada's 10 croissants, 26.00 €; an offer",
        ),
        "the policy lets SNS send": (
            deploy_changed(_FILE, ("events.amazonaws", "sns.amazonaws")),
            "could not be delivered",
        ),
        "the policy lets everyone send": (
            deploy_changed(_FILE, ("            Condition: {ArnEquals: {aws:SourceArn: !GetAtt BakerRule.Arn}}\n", "")),
            "lets other rules send",
        ),
    }

    def test_a_broken_template_is_refused(self, workshop: Workshop, entry: Entry) -> None:
        """A pattern that EventBridge refuses is not deployed, and the command says why."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            text = (board.folder / "start" / _FILE).read_text()
            (board.files / _FILE).write_text(text.replace("[OrderPlaced]", "OrderPlaced"))

        with pytest.raises(UsageError, match="must be an object or an array"):
            workshop.deploy(entry)

    def test_a_deleted_rule_is_a_finding(self, workshop: Workshop, entry: Entry) -> None:
        """A rule that the attendee has deleted is named, and the check ends there."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            name = f"{board.own}-baker"
            bus = board.target.outputs.bus_name
            board.target.events.remove_targets(EventBusName=bus, Rule=name, Ids=["tickets"])
            board.target.events.delete_rule(EventBusName=bus, Name=name)

        assert f"no rule {name}" in unmet(workshop.check(entry))
