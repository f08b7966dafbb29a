#!/usr/bin/env bash
# Subject:     the tag of a histogram in the log format of HdrHistogram, written by hdrhistogram for Python
# Versions:    hdrhistogram 0.10.8 (PyPI), hdr-histogram-js 3.0.1 (Node.js 20)
# Guess:       a tagged histogram is written with its tag (`Tag=send,` begins its line), as the log writer of JavaScript does:
#              the log reader of the same Python package reads such a line.
# Behaviour:   the log writer of Python leaves the tag out. A load test that logs the latencies of sends and of receives in
#              one file gets two histograms of the same interval that nothing tells apart; tools that add the untagged lines
#              mix them.
# Output seen: Python reads the log of JavaScript: send, receive; the log of Python: None, None
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check hdrhistogram==0.10.8
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" hdr-histogram-js@3.0.1
cat > write.js <<'JS'
const { writeFileSync } = require("node:fs");
const hdr = require("hdr-histogram-js");

const log = [];
const writer = new hdr.HistogramLogWriter((text) => log.push(text));
writer.outputLogFormatVersion();
writer.outputLegend();
for (const tag of ["send", "receive"]) {
  const histogram = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 60000, numberOfSignificantValueDigits: 3 });
  histogram.recordValue(7);
  Object.assign(histogram, { tag, startTimeStampMsec: 1000, endTimeStampMsec: 2000 });
  writer.outputIntervalHistogram(histogram);
}
writeFileSync("javascript.hlog", log.join(""));
JS
cat > check.py <<'PY'
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader, HistogramLogWriter


def tags(name):
    reader = HistogramLogReader(name, HdrHistogram(1, 60000, 3))
    return ", ".join(str(reader.get_next_interval_histogram().get_tag()) for _ in range(2))


with open("python.hlog", "w") as file:
    writer = HistogramLogWriter(file)
    writer.output_log_format_version()
    writer.output_legend()
    for tag in ("send", "receive"):
        histogram = HdrHistogram(1, 60000, 3)
        histogram.record_value(7)
        histogram.set_tag(tag)
        histogram.set_start_time_stamp(1000)
        histogram.set_end_time_stamp(2000)
        writer.output_interval_histogram(histogram)
print(f"Python reads the log of JavaScript: {tags('javascript.hlog')}; the log of Python: {tags('python.hlog')}")
PY
node write.js
seen=$(venv/bin/python check.py)
echo "$seen"
[ "$seen" = "Python reads the log of JavaScript: send, receive; the log of Python: None, None" ]
