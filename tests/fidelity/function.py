"""The Lambda function that the checks of one engine share. It posts each event to a web server.

It raises if a record's body is `raise`, and reports records whose body begins with `fail` as failed.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

from fidelity.expect import eventually
from support.web_server import WebServer

NAME: Final = "fidelity"
TIMEOUT_S: Final = 3
_CODE: Final = """
import json, os, urllib.request

def handle(event, context):
    post = urllib.request.Request(os.environ["CALLBACK"], json.dumps(event).encode())
    urllib.request.urlopen(post, timeout=2).close()
    records = event.get("Records", [])
    if any(record.get("body") == "raise" for record in records):
        raise ValueError("as asked")
    failed = [record["messageId"] for record in records if record.get("body", "").startswith("fail")]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""


class Function:
    """A running function."""

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

        def active() -> bool:
            return bool(client.get_function_configuration(FunctionName=NAME).get("State", "Active") == "Active")

        eventually(active, "its functions do not become active", 30)

    def events(self, text: str) -> list[dict[str, Any]]:
        """Return the events that contain a text, such as an ARN of the check."""
        return [json.loads(request.body) for request in list(self._web.requests) if text in request.body]

    def close(self) -> None:
        """Stop the web server; the function ends with its engine."""
        self._web.stop()
