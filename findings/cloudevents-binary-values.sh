#!/usr/bin/env bash
# Subject:     booleans and JSON strings in the binary mode of HTTP, in the CloudEvents SDK for Python
# Versions:    cloudevents 2.2.0
# Guess:       an event reads back as it was written, in both modes; a boolean extension is `true` in its header, as the type
#              system says (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system), and data of
#              application/json is written as JSON.
# Behaviour:   binary mode writes Python's `True`, both in the header and as data. A string is written without quotes
#              and read as JSON if it looks like it: an order number "1042" arrives as a number, "1e3" as 1000.0, "null" as
#              nothing. Structured mode keeps them all.
# Output seen: header of urgent=True: True
#              '1042': binary 1042 (body 1042), structured '1042'
#              '1e3': binary 1000.0 (body 1e3), structured '1e3'
#              'null': binary None (body null), structured 'null'
#              True: binary 'True' (body True), structured True
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0
cat > "$folder/check.py" <<'PY'
from cloudevents.core.bindings.http import from_binary, from_structured, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

json_format = JSONFormat()
attributes = {"id": "1", "source": "shop", "type": "order.placed", "specversion": "1.0", "urgent": True}
attributes["datacontenttype"] = "application/json"
print("header of urgent=True:", to_binary(CloudEvent(attributes, {}), json_format).headers["ce-urgent"])
for data in ("1042", "1e3", "null", True):
    event = CloudEvent(attributes, data)
    message = to_binary(event, json_format)
    binary = from_binary(message, json_format, CloudEvent).get_data()
    structured = from_structured(to_structured(event, json_format), json_format, CloudEvent).get_data()
    print(f"{data!r}: binary {binary!r} (body {message.body.decode()}), structured {structured!r}")
PY
seen=$("$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "header of urgent=True: True
'1042': binary 1042 (body 1042), structured '1042'
'1e3': binary 1000.0 (body 1e3), structured '1e3'
'null': binary None (body null), structured 'null'
True: binary 'True' (body True), structured True" ]
