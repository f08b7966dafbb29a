#!/usr/bin/env bash
# Subject:     the time of a CloudEvent that a program reads and writes again
# Versions:    cloudevents 2.2.0
# Guess:       an intermediary that reads an event and passes it on leaves its attributes as they are.
# Behaviour:   the time becomes a datetime on reading: nanoseconds are cut to microseconds and milliseconds are padded.
#              The document that is passed on is another one, so digests, signatures and content-based
#              deduplication of SQS and SNS see a new event.
# Output seen: 2026-11-29T08:00:00.123456789Z -> 2026-11-29T08:00:00.123456Z; 2026-11-29T08:00:00.120Z ->
#              2026-11-29T08:00:00.120000Z
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0
cat > "$folder/check.py" <<'PY'
import json

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

json_format = JSONFormat()
for time in ("2026-11-29T08:00:00.123456789Z", "2026-11-29T08:00:00.120Z"):
    event = {"specversion": "1.0", "id": "1", "source": "shop", "type": "order.placed", "time": time}
    written = json_format.write(json_format.read(CloudEvent, json.dumps(event)))
    print(f"{time} -> {json.loads(written)['time']}")
PY
seen=$("$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "2026-11-29T08:00:00.123456789Z -> 2026-11-29T08:00:00.123456Z
2026-11-29T08:00:00.120Z -> 2026-11-29T08:00:00.120000Z" ]
