"""The functions that a generated shell script brings along, each with those that it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from orderboard.lab.steps import Holds

_COMPARISONS: Final[dict[Holds | str, str]] = {
    "is": '[ "$found" = "$expected" ]',
    "is not": '[ "$found" != "$expected" ]',
    "is one of": r"""[[ $'\t'$expected$'\t' == *$'\t'"$found"$'\t'* ]]""",
    "contains": '[[ $found == *"$expected"* ]]',
    "has": r"""[[ $'\t'$found$'\t' == *$'\t'"$expected"$'\t'* ]]""",
    "in any order": '[ "$(in_order "$found")" = "$(in_order "$expected")" ]',
    "at least": """awk -v a="$found" -v b="$expected" 'BEGIN { exit !(a != "" && a + 0 >= b + 0) }'""",
    "at most": """awk -v a="$found" -v b="$expected" 'BEGIN { exit !(a != "" && a + 0 <= b + 0) }'""",
}
_NEEDS: Final = {
    "let_pass": ("localbus",),
    "check": ("holds",),
    "attempt": ("error_code",),
    "items": ("value",),
    "receive_all": ("value",),
    "request": ("requests",),
}

# Changes of `attempt` where no response of it is read.
_WITHOUT_RESPONSE: Final = (
    ("RESPONSE is its output, ERROR its error code.", "ERROR is its error code."),
    ('RESPONSE=$("$@" 2>"$SCRATCH/error") ||', '"$@" >/dev/null 2>"$SCRATCH/error" ||'),
)

_TEXTS: Final = {
    "aws": r"""
# The AWS CLI: one page a call, as text. Version 1 needs the endpoint as an option.
aws() {
  command aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} \
    --no-paginate --output text "$@"
}
""",
    "say": r"""
# say SENTENCE: a sentence about the next steps.
say() {
  printf '\n%s\n' "$1"
}
""",
    "let_pass": r"""
# let_pass SECONDS WHY: turn the clock of the engine if it can be turned; else wait.
let_pass() {
  echo "  $1 s pass: $2"
  if [[ $(localbus GET clock) =~ \"manual\":\ *true ]]; then
    localbus POST clock "{\"advance_s\": $1}" >/dev/null
  else
    sleep "$1"
  fi
}
""",
    "check": r"""
# check TEXT FOUND RULE EXPECTED...: whether a part of the claim holds, else what was found.
check() {
  local found=${2//$'\t'/, }
  if holds "${@:2}"; then
    echo "  ok       $1"
  else
    [ "$found" != None ] || found=''
    echo "  DIFFERS  $1: found ${found:-nothing}"
    differences=$((differences + 1))
  fi
}
""",
    "holds": r"""
# holds FOUND RULE EXPECTED...: compare. The items of a list have tabs between them, and the CLI
# prints None for what is not there.
holds() {
  local found=$1 expected IFS=$'\t'
  expected="${*:3}"
  case $found in
    None) found='' ;;
    True) found=true ;;
    False) found=false ;;
  esac
  case $2 in
RULES
  esac
}
""",
    "in_order": r"""
# in_order LIST: its items, sorted.
in_order() {
  tr '\t' '\n' <<<"$1" | sort
}
""",
    "value": r"""
# value NUMBER: a value of the last response that has several, with tabs between them.
value() {
  printf '%s' "$RESPONSE" | awk -v number="$1" 'BEGIN { RS = "\t" } NR == number'
}
""",
    "items": r"""
# items NUMBER: the same of a list, whose items have the character U+001F between them.
items() {
  value "$1" | tr '\037' '\t'
}
""",
    "attempt": r"""
# attempt COMMAND...: make a call that may fail. RESPONSE is its output, ERROR its error code.
attempt() {
  ERROR=''
  RESPONSE=$("$@" 2>"$SCRATCH/error") || ERROR=$(error_code "$SCRATCH/error")
}
""",
    "error_code": r"""
# error_code FILE: the code of the error in the error output of the CLI.
error_code() {
  local text
  text=$(<"$1")
  case $text in
    *'An error occurred ('*) text=${text#*An error occurred (} && echo "${text%%)*}" ;;
    *'arameter validation failed'*) echo ParamValidationError ;;
    *'ould not connect'*) echo EndpointConnectionError ;;
    *'onnection was closed'*) echo ConnectionClosedError ;;
    *'ead timeout'*) echo ReadTimeoutError ;;
    *) echo "$text" ;;
  esac
}
""",
    "receive_all": r"""
# receive_all QUEUE_URL COUNT IDLE_S [PATH [keep]]: receive and delete until COUNT messages came, or
# none comes for IDLE_S seconds. Prints what PATH finds in each.
receive_all() {
  local found='' received=0 receipt entries RESPONSE
  local messages="(Messages || \`[]\`)[]" between=$'\037'
  while [ "$received" -lt "$2" ]; do
    RESPONSE=$(aws sqs receive-message --queue-url "$1" --max-number-of-messages 10 \
      --wait-time-seconds "$3" --message-attribute-names All --message-system-attribute-names All \
      --query "[length($messages), join('$between', $messages.to_string(not_null(${4:-Body}, ''))),
        join(' ', $messages.ReceiptHandle)]") || return
    [ "$(value 1)" -gt 0 ] || break
    received=$((received + $(value 1)))
    found+="${found:+$between}$(value 2)"
    if [ "${5:-delete}" = delete ]; then
      entries=()
      for receipt in $(value 3); do
        entries+=("Id=${#entries[@]},ReceiptHandle=$receipt")
      done
      aws sqs delete-message-batch --queue-url "$1" --entries "${entries[@]}" >/dev/null || return
    fi
  done
  tr "$between" '\t' <<<"$found"
}
""",
    "long_text": r"""
# long_text CHARACTER LENGTH: a text of one character.
long_text() {
  printf '%*s' "$2" '' | sed "s/ /$1/g"
}
""",
    "json_text": r"""
# json_text TEXT: a text as a string of JSON.
json_text() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "${text//$'\n'/\\n}"
}
""",
    "serve": r"""
# serve NAME STATUS...: an HTTP endpoint of this machine. It answers with the statuses in turn, the
# last one for ever, and keeps what it gets. An engine in a container needs its CALLBACK_HOST.
serve() {
  python3 - "$SCRATCH/$1" "${CALLBACK_HOST:-127.0.0.1}" "${@:2}" <<'PYTHON' &
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

name, host, *statuses = sys.argv[1:]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {key.lower(): value for key, value in self.headers.items()}
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        self.send_response(int(statuses.pop(0) if len(statuses) > 1 else statuses[0]))
        self.send_header("Content-Length", "0")
        self.end_headers()
        with open(f"{name}.requests", "a") as file:
            print(json.dumps({"headers": headers, "body": body, "json": document}), file=file)

    def log_message(self, *_):
        pass


server = HTTPServer(("" if host != "127.0.0.1" else host, 0), Handler)
with open(f"{name}.url", "w") as file:
    print(f"http://{host}:{server.server_port}/", file=file)
server.serve_forever()
PYTHON
  until [ -s "$SCRATCH/$1.url" ]; do
    sleep 0.05
  done
}
""",
    "requests": r"""
# requests NAME COUNT WITHIN_S KEY...: wait until the endpoint got COUNT requests. Prints the value
# at the keys of each.
requests() {
  python3 - "$SCRATCH/$1.requests" "${@:2}" <<'PYTHON'
import json
import sys
import time

path, count, within_s, *keys = sys.argv[1:]
end = time.monotonic() + float(within_s)
lines = []
while True:
    try:
        with open(path) as file:
            lines = [line for line in file if line.endswith("\n")]
    except FileNotFoundError:
        pass
    if len(lines) >= int(count) or time.monotonic() >= end:
        break
    time.sleep(0.05)
found = [json.loads(line) for line in lines]
for key in keys:
    found = [each.get(key) if isinstance(each, dict) else None for each in found]
print(*("" if each is None else each for each in found), sep="\t")
PYTHON
}
""",
    "request": r"""
# request NAME NUMBER WITHIN_S KEY...: the same of one request; the first one is 1.
request() {
  requests "$@" | awk -v number="$2" 'BEGIN { RS = "\t" } NR == number'
}
""",
    "localbus": r"""
# localbus METHOD PAGE [DOCUMENT]: make a request to the developer API of localbus.
localbus() {
  [ -z "${AWS_ENDPOINT_URL:-}" ] ||
    curl --silent --fail --request "$1" ${3:+--data "$3"} "${AWS_ENDPOINT_URL%/}/_localbus/$2"
}
""",
    "at_end": r"""
# at_end COMMAND...: make a call at the end, before those that were given earlier.
at_end() {
  local removal
  printf -v removal '%q ' "$@"
  removals=$removal$'\n'$removals
}
""",
}


def with_needed(wanted: Collection[str], rules: Collection[Holds | str]) -> list[str]:
    """Return the names of helpers and of those that they need, in the order of the script."""
    names = set(wanted)
    for name in wanted:
        names |= set(_needed(name))
    if "in any order" in rules:
        names.add("in_order")
    return [name for name in _TEXTS if name in names]


def text_of(name: str, rules: Collection[Holds | str], *, keeps: bool) -> str:
    """The text of a helper; `holds` has only the rules that are used. keeps: a response of `attempt` is read."""
    lines = [f"    {_pattern(rule)}) {test} ;;" for rule, test in _COMPARISONS.items() if rule in rules]
    text = _TEXTS[name].strip("\n").replace("RULES", "\n".join(lines))
    for kept, dropped in () if keeps else _WITHOUT_RESPONSE:
        text = text.replace(kept, dropped)
    return text


def _pattern(rule: str) -> str:
    return f"'{rule}'" if " " in rule else rule


def _needed(name: str) -> Iterator[str]:
    for each in _NEEDS.get(name, ()):
        yield each
        yield from _needed(each)
