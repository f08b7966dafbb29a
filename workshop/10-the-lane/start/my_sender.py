"""The cashier's side of the lane: the message for each event of a regular's order."""

import json
from typing import Any


def message(event: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of SendMessage for an event, without the queue's URL.

    An event: {"id": "3f2a-1", "type": "placed", "order": "ada-1", "customer": "ada", "sent_at": "08:00:00.123"}.
    A repeated attempt to send it is the same event, with the same id; sent_at is the time of the attempt.
    """
    return {"MessageBody": json.dumps(event)}
