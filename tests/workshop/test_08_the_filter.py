"""Exercise 8: the filter."""

import json
from typing import Any, ClassVar

from orderboard.workshop.board import Board
from orderboard.workshop.catalogue import Entry
from orderboard.workshop.workshop import Workshop
from workshop.checked_exercise import CheckedExercise, WrongAnswers, deploy_changed, unmet

_FILE = "my_loyalty.yaml"
_LARGE = '[{numeric: [">=", 2000]}]'
_DATA = "        data:\n"
_EITHER = f"{_DATA}          $or:\n            - priority: [express]\n            - total_cents: {_LARGE}\n"
_BOTH = f"{_DATA}          priority: [express]\n          total_cents: {_LARGE}\n"
_SCOPE = "      FilterPolicyScope: MessageBody\n"
_TYPE = "        type: [orderboard.order.placed.v1]\n"


def _of_the_baristas(board: Board) -> None:
    """Give the loyalty desk's policy to the work queue's subscription."""
    deploy_changed(_FILE)(board)
    subscription = _attributes_of_the_baristas(board)["SubscriptionArn"]
    policy = {"type": ["orderboard.order.placed.v1"], "data": {"total_cents": [{"numeric": [">=", 2000]}]}}
    for name, value in (("FilterPolicyScope", "MessageBody"), ("FilterPolicy", json.dumps(policy))):
        board.target.sns.set_subscription_attributes(
            SubscriptionArn=subscription, AttributeName=name, AttributeValue=value
        )


def _attributes_of_the_baristas(board: Board) -> dict[str, Any]:
    """Return the attributes of the work queue's subscription, policies as objects."""
    arn = board.attributes(board.target.outputs.work_queue)["QueueArn"]
    [subscription] = [key for key, value in board.target.subscription_endpoints().items() if value == arn]
    found = board.target.sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    return {name: json.loads(value) if value.startswith("{") else value for name, value in found.items()}


def _no_queue(board: Board) -> None:
    board.target.sqs.delete_queue(QueueUrl=board.target.queue_url("orderboard-workshop-loyalty"))


class TestTheFilter(CheckedExercise):
    """Its check."""

    number = 8
    wrong: ClassVar[WrongAnswers] = {
        "no policy": (
            deploy_changed(_FILE, (f"{_SCOPE}      FilterPolicy:\n{_TYPE}{_EITHER}", "")),
            "got too much: a normal order of 19.90 €, a normal order of 3.00 € and a message of the type",
        ),
        "both instead of one of two": (deploy_changed(_FILE, (_EITHER, _BOTH)), "3 of 4 are missing"),
        "a number as text": (deploy_changed(_FILE, (_LARGE, '["2000", "8900"]')), "2 of 4 are missing"),
        "more than 20.00": (
            deploy_changed(_FILE, ('[">=", 2000]', '[">", 2000]')),
            "did not get a normal order of 20.00 €: 1 of 4",
        ),
        "an upper bound that nobody asked for": (
            deploy_changed(_FILE, ('[">=", 2000]', '[">=", 2000, "<=", 100000]')),
            "did not get a normal order of 4,450.00 €: 1 of 4",
        ),
        "the baristas' policy": (_of_the_baristas, "The baristas did not get a normal order of 19.90 €"),
        "no queue": (_no_queue, "The queue orderboard-workshop-loyalty is gone"),
    }

    def test_the_baristas_get_their_policy_back(self, workshop: Workshop, entry: Entry) -> None:
        """A new opening gives the work queue's subscription its own policy again, and the exercise can be solved."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            _of_the_baristas(board)

        workshop.open(entry)
        workshop.apply_solution(entry)

        checked = workshop.check(entry)
        assert checked.solved, unmet(checked)

    def test_a_subscription_that_was_removed_is_made_again(self, workshop: Workshop, entry: Entry) -> None:
        """A new opening subscribes the baristas' queue again, with the attributes that it had."""
        workshop.open(entry)
        with workshop.board(entry) as board:
            before = _attributes_of_the_baristas(board)
            board.target.sns.unsubscribe(SubscriptionArn=before.pop("SubscriptionArn"))

        workshop.open(entry)

        with workshop.board(entry) as board:
            after = _attributes_of_the_baristas(board)
            assert after.pop("SubscriptionArn")
            assert after == before
