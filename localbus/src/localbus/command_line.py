"""The options of the command line, and what their values may be."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from localbus import VERSION
from localbus.delivery_faults import parse_faults
from localbus.init_files import parse_init_file

T = TypeVar("T")

_CERTIFICATES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "localbus"

_EPILOG = """\
Any AWS client can use it as its endpoint:

  python -m localbus &
  aws --endpoint-url http://127.0.0.1:4566 sqs create-queue --queue-name work
  curl http://127.0.0.1:4566/_localbus/        lists what to inspect and change while it runs

Resources from the start, by a template or a script; it is ready when they are there:

  python -m localbus --init queues.yaml --init seed.sh

Any credentials are valid; an access key of twelve digits is an account. Without --data everything ends with it.
"""


def command_line() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m localbus",
        description="SQS, SNS, EventBridge and DynamoDB as AWS behaves, in one local process at one port.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"localbus {VERSION}")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=_checked(_port), default=4566, help="port; 0 chooses a free one (default: 4566)")
    parser.add_argument(
        "--upstream",
        type=_checked(_url),
        metavar="URL",
        help="engine for all other services, such as http://127.0.0.1:4567 (default: none)",
    )
    parser.add_argument(
        "--manual-clock",
        action="store_true",
        help="stop the clock at the start; POST /_localbus/clock advances it",
    )
    parser.add_argument("--no-policies", action="store_true", help="do not enforce resource policies")
    parser.add_argument(
        "--disorder",
        type=_checked(parse_faults),
        metavar="seed=7,duplicates=0.05,reordering=0.1,missed_polls=0.2,doubled_events=0.05",
        help="delivery faults that AWS permits, for standard queues and rules: probabilities from 0 to 1 (default: 0)",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        type=_checked(_origin),
        default=[],
        metavar="ORIGIN",
        help="allow web pages of this origin, such as https://shop.example, or of all (*); this machine always may",
    )
    parser.add_argument(
        "--sign-everything",
        action="store_true",
        help="sign SNS messages to queues, functions and e-mail too; this takes some milliseconds a message",
    )
    parser.add_argument(
        "--tls",
        nargs="?",
        type=Path,
        const=_CERTIFICATES,
        metavar="FOLDER",
        help="serve https too, by a certificate that is kept in FOLDER (default: ~/.cache/localbus)",
    )
    parser.add_argument(
        "--tls-port", type=_checked(_port), default=4443, metavar="PORT", help="port of --tls; 0: a free one (4443)"
    )
    parser.add_argument(
        "--public-url",
        type=_checked(_public_url),
        metavar="URL",
        help="address that queue URLs and SNS messages show, such as https://localbus:4443 (default: the request's)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep what was acknowledged in this folder, so that it survives kill -9 (default: in memory)",
    )
    parser.add_argument(
        "--fsync", action="store_true", help="with --data: also survive a power failure; each answer waits for the disk"
    )
    parser.add_argument(
        "--init",
        action="append",
        type=_checked(parse_init_file),
        default=[],
        metavar="FILE",
        help="before it is ready, deploy a CloudFormation template as a stack of the file's name, or run a script "
        "(executable, with AWS_ENDPOINT_URL); may be repeated",
    )
    parser.add_argument("--quiet", action="store_true", help="do not report lost messages, nor anything but errors")
    return parser


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return the reader with its ValueError as the parser's error."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except ValueError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    return checked


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:  # uvloop would take it modulo 65536
        raise ValueError(f"invalid port {text!r}: expected 0 to 65535")
    return int(text)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"invalid upstream URL {text!r}: expected http://HOST:PORT")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"invalid public URL {text!r}: expected http://HOST[:PORT] or https://HOST[:PORT]")
    return text


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if text != "*" and (not parts.scheme or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}"):
        raise ValueError(f"invalid origin {text!r}: expected scheme://host[:port], or *")
    return text
