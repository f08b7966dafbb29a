"""The verdict on every order."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field, field_serializer

from orderboard.burst.model.base import Proven, Value

# The counts of a verdict that only the ledger gives.
OF_LEDGER: Final = (
    *("completed", "rejected", "cancelled", "dead_lettered", "lost", "duplicated", "recovered"),
    *("alerts_due", "alerts_announced"),
)


class Finding(Value):
    """One reason why the verdict is not valid, in a sentence."""

    verdict: Literal["lost", "duplicated", "unexpected"]
    type: str
    text: str


class Refusal(Value):
    """Orders that were refused (4xx) for the same reason."""

    reason: str = Field(description="The status and the reason of the first.")
    kind: str
    orders: int
    meant: bool = Field(description="The API must refuse such orders, or --allow-refused was given.")
    example: str | None = Field(default=None, description="The JSON of one of them, its first 500 characters.")
    line: int | None = Field(default=None, description="The line of the user's file that the example is from.")


class OthersOrders(Value):
    """Orders of others in the same system, as far as the burst met them. They are not judged."""

    finished: int = Field(description="Whose outcome events came during the burst.")
    dead_letters: int = Field(description="Messages in the dead-letter queues at the end.")
    examples: tuple[str, ...] = Field(description="A few of their order ids.")


class BurstVerdict(Value):
    """Every order that was attempted, and where it ended; after Jepsen's total-queue.

    attempted = acknowledged + refused + unavailable, but for orders sent twice, whose better answer counts.
    acknowledged + recovered = completed + rejected + cancelled + dead_lettered + lost + unsettled.
    unavailable orders may have been placed or not, and never twice; those of them that were are recovered.
    lost also counts missing outcome events and alerts. unexpected counts unknown orders in the table or a dead-letter
    queue, an ending that such an order must not have, and an alert that was not due.
    """

    valid: bool = Field(
        description="Orders were sent and one at least was answered or recorded; lost, duplicated, unexpected, "
        "refused_unmeant and generators_ended are 0, and the drain finished."
    )
    basis: Literal["ledger", "answers"] = Field(
        default="ledger",
        description="answers: the stack was not read, so only the answers were judged, and `valid` is false.",
    )
    answered: bool | None = Field(
        default=None, description="With the basis `answers`: every order was answered, and as it must be."
    )
    unproven: tuple[str, ...] = Field(default=(), description="What is not known of the orders, each as a sentence.")
    others: OthersOrders | None = Field(default=None, description="On a system that was not started for the burst.")
    drained: bool
    attempted: int
    acknowledged: int
    refused: int
    refused_unmeant: int = Field(default=0, description="Of those refused: orders that the API should have accepted.")
    refusals: tuple[Refusal, ...] = Field(default=(), description="By reason, at most fifty.")
    unavailable: int
    unreached: int = Field(
        default=0, description="Of those unavailable: no connection was made, so they must not exist."
    )
    completed: Proven
    rejected: Proven
    cancelled: Proven
    dead_lettered: Proven
    dead_lettered_duplicates: int = Field(
        default=0, description="Ended once, and a duplicate of the message is in a dead-letter queue: not a finding."
    )
    lost: Proven
    duplicated: Proven
    recovered: Proven = Field(description="Not acknowledged, but recorded all the same.")
    unsettled: int = Field(default=0, description="Not ended when the burst was broken off: neither lost nor found.")
    unexpected: int
    generators_ended: int = Field(
        default=0, description="Generators that ended before they were done: the load is not the one asked for."
    )
    alerts_due: Proven
    alerts_announced: Proven
    endings: Mapping[str, Mapping[str, int]] = Field(description="Kind of order -> ending -> how many.")
    findings: tuple[Finding, ...] = Field(description="The first hundred.")

    @property
    def headline(self) -> str:
        """The verdict in a sentence, without its stop."""
        if not self.attempted:
            return "Nothing was sent, so nothing is proven"
        counts = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "unexpected": self.unexpected,
            "refused that should be accepted": self.refused_unmeant,
            "of the generators ended early": self.generators_ended,
        }
        if self.basis == "answers":
            counts["without an answer"] = self.unavailable
        wrong = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        if self.basis == "ledger":
            of_them = f", {self.unavailable:,} of them unavailable" if self.unavailable else ""
            good = f"Valid: nothing lost, duplicated or unexpected in {self.attempted:,} orders{of_them}"
            bad = "Not valid: "
        else:
            good = f"Answered: all {self.attempted:,} orders, as they must be; no more than that is proven"
            bad = "Not answered as they must be: "
        why = "no order was answered, so nothing is proven" if self.drained else "the burst was broken off"
        return good if self.good else f"{bad}{wrong or why}"

    @property
    def good(self) -> bool:
        """Return whether nothing is wrong, as far as the basis shows it."""
        return self.valid or self.answered is True

    @field_serializer(*OF_LEDGER)
    def _unless_unproven(self, value: int) -> int | None:
        return value if self.basis == "ledger" else None
