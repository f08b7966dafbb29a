#!/usr/bin/env bash
# Subject:     the percentiles of response times in locust
# Versions:    locust 2.47.0
# Guess:       the percentiles lie between the smallest and the largest response time; a limit such as "the 95th percentile
#              is at most 1000 ms" fails if every single call took 1049 ms.
# Behaviour:   locust rounds each time to two digits before it counts it (unless bucket_response_time is replaced), so
#              percentiles leave that range in both directions: the 95th and even the 100th of ten calls of 1049 ms are
#              1000 ms, and those of ten calls of 147 ms are 150 ms. The limit above passes. Only the median is moved into
#              the range, so it stands above the 95th percentile of the same line.
# Output seen: 1049 ms: min 1049, median 1049, p95 1000, p100 1000, max 1049
#              147 ms: min 147, median 147, p95 150, p100 150, max 147
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check locust==2.47.0
cat > "$folder/check.py" <<'PY'
from locust.stats import RequestStats

for milliseconds in (1049, 147):
    stats = RequestStats()
    for _ in range(10):
        stats.log_request("SQS", "send", milliseconds, 0)
    entry = stats.get("send", "SQS")
    p95, p100 = (entry.get_response_time_percentile(share) for share in (0.95, 1.0))
    print(
        f"{milliseconds} ms: min {entry.min_response_time}, median {entry.median_response_time},"
        f" p95 {p95}, p100 {p100}, max {entry.max_response_time}"
    )
PY
seen=$("$folder/venv/bin/python" "$folder/check.py")
echo "$seen"
[ "$seen" = "1049 ms: min 1049, median 1049, p95 1000, p100 1000, max 1049
147 ms: min 147, median 147, p95 150, p100 150, max 147" ]
