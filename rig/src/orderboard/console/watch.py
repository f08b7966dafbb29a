"""What is watched of one system: the feed of looks at the board, the stories of orders, the journal."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from orderboard.console.actions import Actions
from orderboard.console.board import Looker
from orderboard.console.feed import Feed
from orderboard.console.follow import Follower
from orderboard.console.prover import Prover
from orderboard.console.source import Source
from orderboard.console.trace import Journal
from orderboard.errors import UsageError

_PAID_EVERY_S: Final = 5.0  # on AWS every look is billed


class Watch:
    """Wires the looks. Whatever many pages ask for is asked of the backend once."""

    def __init__(self, source: Source, actions: Actions) -> None:
        self.journal = Journal(source)
        self.follower = Follower(source, self.journal)
        self._actions = actions
        self._looker, self._prover = Looker(source), Prover(source)
        paid = source.backend == "aws"
        self.feed = Feed(self._look, every_s=_PAID_EVERY_S if paid else 1.0, idle_every_s=None if paid else 5.0)

    def journal_document(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The journal: all of it, of a queue, or of an id, which may be a message's or an order's."""
        named = query.get("id", "")
        document = self.journal.document(queue=query.get("queue", ""), message_id=named)
        if not named or document["entries"] or document["why_not"] is not None:
            return document
        try:
            order_id = str(UUID(named))
        except ValueError as exc:
            raise UsageError("That is no id of a message or an order; those have 36 characters.") from exc
        return self.journal.of_order(order_id, lambda: self.follower.message_ids(order_id))

    def _look(self) -> dict[str, Any]:
        self._actions.workers.reap()
        board = self._looker.look()
        return {**board.document(), **self._actions.document(board), "proof": self._prover.look(board)}
