#!/usr/bin/env bash
# Subject:     the share of traces that a ratio sampler keeps if the trace ids are version 4 UUIDs (an order id, a request id)
# Versions:    opentelemetry-sdk 1.45.2 (Python), @opentelemetry/sdk-trace-base 2.12.1 (Node.js 20)
# Guess:       half of them at a ratio of 0.5: 122 of 128 bits are random, among them the last 56, which is all that W3C's
#              random flag asks for: https://www.w3.org/TR/trace-context-2/#random-trace-id-flag
# Behaviour:   Python compares the last 64 bits with the ratio. Their first two are the UUID's variant, always 10, so a ratio
#              of 0.5 keeps none, and one of 0.75 all. JavaScript mixes all bits and keeps about half, and three quarters.
# Output seen: Python: none at 0.5, all at 0.75; JavaScript: about half at 0.5, about 3/4 at 0.75
# Date:        2026-11-30
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" @opentelemetry/sdk-trace-base@2.12.1 \
  @opentelemetry/api@1.9.0
cat > check.py <<'PY'
import uuid

from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

ids = [uuid.uuid4().int for _ in range(10_000)]


def kept(ratio: float) -> int:
    sampler = TraceIdRatioBased(ratio)
    return sum(sampler.should_sample(None, each, "order").decision.is_sampled() for each in ids)


words = {0: "none", len(ids): "all"}
print("Python: {} at 0.5, {} at 0.75".format(*(words.get(kept(ratio), "some") for ratio in (0.5, 0.75))))
PY
cat > check.js <<'JS'
const { randomUUID } = require("node:crypto");
const { context } = require("@opentelemetry/api");
const { TraceIdRatioBasedSampler } = require("@opentelemetry/sdk-trace-base");

const ids = Array.from({ length: 10_000 }, () => randomUUID().replaceAll("-", ""));
function about(ratio) {
  const sampler = new TraceIdRatioBasedSampler(ratio);
  const kept = ids.filter((id) => sampler.shouldSample(context.active(), id).decision !== 0).length;
  return Math.abs(kept / ids.length - ratio) < 0.03;
}
const words = [[0.5, "half"], [0.75, "3/4"]].map(([ratio, word]) => `${about(ratio) ? "about" : "not"} ${word} at ${ratio}`);
console.log(`JavaScript: ${words.join(", ")}`);
JS
seen="$(venv/bin/python check.py 2> /dev/null); $(node check.js 2> /dev/null)"
echo "$seen"
[ "$seen" = "Python: none at 0.5, all at 0.75; JavaScript: about half at 0.5, about 3/4 at 0.75" ]
