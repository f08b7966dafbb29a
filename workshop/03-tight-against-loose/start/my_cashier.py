"""The cashier. `take` takes an order from a customer. It is yours to change."""

import json
import os
from http.client import HTTPConnection


def take(order: dict[str, str]) -> None:
    """Take an order: return once it is safe. An exception sends the customer away without a coffee.

    BARISTA: the address of the barista's door; an order that is posted there is answered once it is made.
    BOARD_QUEUE_URL: a queue of SQS. The barista looks at it, too, and makes what hangs there, a JSON object each.
    """
    barista = HTTPConnection(os.environ["BARISTA"], timeout=5)
    barista.request("POST", "/", body=json.dumps(order))
    barista.getresponse()
