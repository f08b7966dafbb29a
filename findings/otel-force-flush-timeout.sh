#!/usr/bin/env bash
# Subject:     the time limit of force_flush, which a Lambda function calls at the end of each invocation, and of shutdown
# Versions:    opentelemetry-sdk 1.45.2 and opentelemetry-exporter-otlp-proto-http 1.45.2 (Python)
# Guess:       force_flush(200) returns after 200 ms, with False, if the collector does not answer, as the specification says:
#              https://opentelemetry.io/docs/specs/otel/trace/sdk/#forceflush-1
# Behaviour:   it returns when the exporter gives up (OTEL_EXPORTER_OTLP_TIMEOUT, 10 s by default; 2 s here), with True though
#              nothing was exported. The limit is an argument that is not read. So a slow collector holds up each invocation.
# Output seen: force_flush(200) took as long as the exporter's timeout and returned True
# Date:        2026-11-30
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2 \
  opentelemetry-exporter-otlp-proto-http==1.45.2
cat > check.py <<'PY'
import os
import socket
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

silent = socket.create_server(("127.0.0.1", 0))  # accepts connections, and never answers
url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
provider = TracerProvider(shutdown_on_exit=False)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=2)))
provider.get_tracer("consumer").start_span("process").end()
began = time.monotonic()
flushed = provider.force_flush(200)
took = "as long as the exporter's timeout" if time.monotonic() - began > 1.5 else "about 200 ms"
print(f"force_flush(200) took {took} and returned {flushed}", flush=True)
os._exit(0)  # not waiting for the exporter
PY
seen=$(NO_PROXY='*' venv/bin/python check.py 2> /dev/null)
echo "$seen"
[ "$seen" = "force_flush(200) took as long as the exporter's timeout and returned True" ]
