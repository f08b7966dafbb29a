"""The functions that a generated Python program brings along, each with the imports and functions that it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from orderboard.lab.steps import Holds


@dataclass(frozen=True)
class Helper:
    """A function of a program."""

    text: str
    imports: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_COMPARISONS: Final[dict[Holds, str]] = {
    "is": "found == expected",
    "is not": "found != expected",
    "is one of": "found in expected",
    "contains": "expected in found",
    "in any order": "sorted(found) == sorted(expected)",
    "at least": 'float(found or "nan") >= float(expected)',
    "at most": 'float(found or "nan") <= float(expected)',
}

# What a program has besides its helpers.
RESERVED: Final = (
    *("experiment", "main", "response", "background", "boto3", "jmespath", "json", "os", "sys", "secrets", "time"),
    *("io", "zipfile", "threading", "urllib"),
)

HELPERS: Final = {
    "client": Helper(
        '''
def client(service):
    """A client that makes each request once: repeats would hide what happens."""
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=40)
    return boto3.client(service, endpoint_url=ENDPOINT, config=once)
''',
        ("import boto3", "from botocore.config import Config"),
    ),
    "say": Helper(
        '''
def say(sentence):
    """Print a sentence about the next steps."""
    print(f"\\n{sentence}")
'''
    ),
    "let_pass": Helper(
        '''
def let_pass(seconds, why):
    """Turn the clock of the engine if it can be turned; else wait."""
    print(f"  {seconds} s pass: {why}", flush=True)
    if clock().get("manual"):
        localbus("POST", "/_localbus/clock", {"advance_s": seconds})
    else:
        time.sleep(seconds)
''',
        ("import time",),
        ("clock",),
    ),
    "check": Helper(
        '''
def check(text, found, rule, expected):
    """Print whether a part of the claim holds, else what was found."""
    if holds(found, rule, expected):
        print(f"  ok       {text}")
    else:
        found = as_text(found)
        shown = ", ".join(found) if isinstance(found, list) else found
        print(f"  DIFFERS  {text}: found {shown or 'nothing'}")
        DIFFERENCES.append(text)
''',
        (),
        ("holds",),
    ),
    "holds": Helper(
        '''
def holds(found, rule, expected):
    """Return whether a value is as expected: texts are compared, bounds are numbers."""
    found, expected = as_text(found), as_text(expected)
    rules = {
RULES
    }
    return rules[rule]()
''',
        (),
        ("as_text",),
    ),
    "as_text": Helper(
        '''
def as_text(value):
    """Return a value as text, a list as texts; nothing is an empty text."""
    if isinstance(value, list):
        return [as_text(each) for each in value]
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
'''
    ),
    "attempt": Helper(
        '''
def attempt(call, **parameters):
    """Make a call that may fail; return its response and the code of its error."""
    try:
        return call(**parameters), ""
    except ClientError as error:
        return {}, error.response["Error"]["Code"]
    except BotoCoreError as error:
        return {}, type(error).__name__
''',
        ("from botocore.exceptions import BotoCoreError, ClientError",),
    ),
    "tries": Helper(
        '''
def tries(within_s):
    """Count tries, ten in a second, until the time is over."""
    end = time.monotonic() + within_s
    number = 1
    yield number
    while time.monotonic() < end:
        time.sleep(0.1)
        number += 1
        yield number
''',
        ("import time",),
    ),
    "receive_all": Helper(
        '''
def receive_all(sqs, queue_url, count, idle_s, delete=True, path="Body"):
    """Receive until `count` messages came, or none comes for `idle_s` seconds."""
    found = []
    while len(found) < count:
        response = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=idle_s,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        messages = response.get("Messages", [])
        if not messages:
            break
        found += [jmespath.search(path, message) for message in messages]
        if delete:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return found
''',
        ("import jmespath",),
    ),
    "zipped": Helper(
        '''
def zipped(code):
    """Return a zip archive with the code of a function."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    return archive.getvalue()
''',
        ("import io", "import zipfile"),
    ),
    "HttpEndpoint": Helper(
        '''
class HttpEndpoint:
    """An HTTP endpoint of this machine: it answers with the statuses in turn, the
    last one for ever, and keeps what it gets."""

    def __init__(self, *statuses):
        self.got = []
        outer, statuses = self, list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length).decode("utf-8", "replace")
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = {"headers": headers, "body": body, "json": as_json(body)}
                status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                outer.got.append(request)

            def log_message(self, *_):
                pass

        # An engine in a container reaches this machine by another address.
        host = os.environ.get("CALLBACK_HOST", "127.0.0.1")
        address = host if host == "127.0.0.1" else ""
        server = ThreadingHTTPServer((address, 0), Handler)
        server.daemon_threads = True
        self.url = f"http://{host}:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def requests(self, path, count, within_s):
        """Wait for `count` requests; return what the path finds in each."""
        for _ in tries(within_s):
            if len(self.got) >= count:
                break
        return [jmespath.search(path, request) for request in self.got]

    def request(self, path, number, within_s):
        """Wait for a request, the first one is 1; return what the path finds in it."""
        found = self.requests(path, number, within_s)
        return found[number - 1] if len(found) >= number else None
''',
        (
            "import os",
            "import threading",
            "from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer",
            "import jmespath",
        ),
        ("tries", "as_json"),
    ),
    "as_json": Helper(
        '''
def as_json(text):
    """Return a document; None if the text is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
''',
        ("import json",),
    ),
    "set_localbus": Helper(
        '''
def set_localbus(kind, settings, why):
    """Let localbus do what AWS may do."""
    print(f"  localbus: {why}")
    localbus("PUT", f"/_localbus/{kind}", settings)
''',
        (),
        ("localbus", "clock"),
    ),
    "clock": Helper(
        '''
def clock():
    """Return the clock of localbus; nothing of another engine."""
    try:
        return localbus("GET", "/_localbus/clock")
    except (OSError, ValueError):
        return {}
''',
        (),
        ("localbus",),
    ),
    "localbus": Helper(
        '''
def localbus(method, path, document=None):
    """Make a request to the developer API of localbus."""
    if ENDPOINT is None:
        return {}
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(ENDPOINT.rstrip("/") + path, body, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)
''',
        ("import json", "import urllib.request"),
    ),
    "at_end": Helper(
        '''
def at_end(call, **parameters):
    """Make a call at the end, before those that were given earlier."""
    REMOVALS.insert(0, (call, parameters))
'''
    ),
    "clean_up": Helper(
        '''
def clean_up():
    """Remove what the experiment made."""
    for call, parameters in REMOVALS:
        try:
            call(**parameters)
        except (BotoCoreError, ClientError) as error:
            if not any(each in str(error) for each in GONE):
                print(f"Not removed: {parameters}: {error}")
''',
        ("from botocore.exceptions import BotoCoreError, ClientError",),
    ),
}


def with_needed(wanted: Collection[str]) -> dict[str, Helper]:
    """Return helpers and those that they need, in the order of the program."""
    names = set(wanted)
    for name in wanted:
        names |= set(_needed(name))
    return {name: helper for name, helper in HELPERS.items() if name in names}


def text_of(name: str, rules: Collection[Holds]) -> str:
    """The text of a helper; `holds` has only the rules that are used."""
    lines = [f'        "{rule}": lambda: {_COMPARISONS[rule]},' for rule in _COMPARISONS if rule in rules]
    return HELPERS[name].text.strip("\n").replace("RULES", "\n".join(lines))


def _needed(name: str) -> Iterator[str]:
    for each in HELPERS[name].needs:
        yield each
        yield from _needed(each)
