#!/usr/bin/env bash
# Subject:     the attributes that a span keeps beyond its limit (128), in OpenTelemetry for Python and for JavaScript
# Versions:    opentelemetry-sdk 1.45.2 (Python), @opentelemetry/sdk-trace-base 2.12.1 (Node.js 20)
# Guess:       both keep the first 128, as the specification says (an attribute that would exceed the limit is discarded):
#              https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
# Behaviour:   Python discards the oldest one for each new one. The order id that a consumer sets when it starts its span is
#              lost once it adds an attribute for each line of a long order; the same consumer in JavaScript keeps it.
# Output seen: Python: order.id no, line.127 yes; JavaScript: order.id yes, line.127 no
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @opentelemetry/sdk-trace-base@2.12.1 \
  @opentelemetry/api@1.9.0
cat > check.py <<'PY'
from opentelemetry.sdk.trace import TracerProvider

span = TracerProvider().get_tracer("consumer").start_span("process", attributes={"order.id": "7"})
for line in range(128):
    span.set_attribute(f"line.{line}", line)
kept = ["yes" if name in span.attributes else "no" for name in ("order.id", "line.127")]
print("Python: order.id {}, line.127 {}".format(*kept))
PY
cat > check.js <<'JS'
const { BasicTracerProvider } = require("@opentelemetry/sdk-trace-base");

const span = new BasicTracerProvider().getTracer("consumer").startSpan("process", { attributes: { "order.id": "7" } });
for (let line = 0; line < 128; line++) span.setAttribute(`line.${line}`, line);
const kept = (name) => (name in span.attributes ? "yes" : "no");
console.log(`JavaScript: order.id ${kept("order.id")}, line.127 ${kept("line.127")}`);
JS
seen="$(venv/bin/python check.py 2> /dev/null); $(node check.js 2> /dev/null)"
echo "$seen"
[ "$seen" = "Python: order.id no, line.127 yes; JavaScript: order.id yes, line.127 no" ]
