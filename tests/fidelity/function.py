"""The Lambda function that the checks of one engine share. It tells a web server of each event that it gets.

It raises when a record says `raise`, and reports those whose text begins with `fail` as failed.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any, Final

from fidelity.expect import WrongError
from web_server import WebServer

NAME: Final = "fidelity"
TIMEOUT_S: Final = 3
_CODE: Final = """
import json, os, urllib.request

def handle(event, context):
    told = urllib.request.Request(os.environ["CALLBACK"], json.dumps(event).encode())
    urllib.request.urlopen(told, timeout=2).close()
    records = event.get("Records", [])
    if any(record.get("body") == "raise" for record in records):
        raise ValueError("as asked")
    failed = [record["messageId"] for record in records if record.get("body", "").startswith("fail")]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""


class Function:
    """A running function. `events` are those that it got, whoever caused them."""

    def __init__(self, client: Any, callback_host: str) -> None:
        self._web = WebServer(callback_host)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("handler.py", _CODE)
        self.arn = str(
            client.create_function(
                FunctionName=NAME,
                Runtime="python3.13",
                Role="arn:aws:iam::000000000000:role/any",
                Handler="handler.handle",
                Timeout=TIMEOUT_S,
                Code={"ZipFile": code.getvalue()},
                Environment={"Variables": {"CALLBACK": f"{self._web.url}/"}},
            )["FunctionArn"]
        )
        end = time.monotonic() + 30
        while client.get_function_configuration(FunctionName=NAME).get("State", "Active") != "Active":
            if time.monotonic() > end:
                raise WrongError("its functions do not become active")
            time.sleep(0.2)

    def events(self, sign: str) -> list[dict[str, Any]]:
        """The events in which that text stands, such as an ARN of the check's own."""
        return [json.loads(request.body) for request in list(self._web.requests) if sign in request.body]

    def close(self) -> None:
        """Stop listening; the function goes with its engine."""
        self._web.stop()
