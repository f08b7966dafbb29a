#!/usr/bin/env bash
# Subject:     the batch processor of Powertools for AWS Lambda and the name of a record handler's parameter
# Versions:    aws-lambda-powertools 3.37.0
# Guess:       a handler is a function of one record; its parameter's name is free.
# Behaviour:   the processor calls it by keyword, record=...; another name is a TypeError for each record, which counts as
#              a failed record. So every message of the queue is reported in batchItemFailures and becomes a dead letter,
#              and nothing is logged.
# Output seen: named record: []  named message: [{'itemIdentifier': '1'}] TypeError
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-lambda-powertools==3.37.0
cat > "$folder/check.py" <<'PY'
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

EVENT = {"Records": [{"messageId": "1", "body": "tea", "eventSource": "aws:sqs", "attributes": {}}]}


def run(handler):
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    answer = process_partial_response(EVENT, handler, processor, None)
    return " ".join([str(answer["batchItemFailures"]), *(kind.__name__ for kind, _, _ in processor.exceptions)])


print("named record:", run(lambda record: record.body), " named message:", run(lambda message: message.body))
PY
seen=$("$folder/venv/bin/python" "$folder/check.py" 2> "$folder/errors")
echo "$seen"
[ "$seen" = "named record: []  named message: [{'itemIdentifier': '1'}] TypeError" ]
[ ! -s "$folder/errors" ]
