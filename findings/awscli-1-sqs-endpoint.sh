#!/usr/bin/env bash
# Subject:     AWS_ENDPOINT_URL in the AWS CLI version 1, for SQS and for SNS
# Versions:    awscli 1.46.3
# Guess:       AWS_ENDPOINT_URL redirects every service, and AWS_ENDPOINT_URL_SQS at least SQS.
# Behaviour:   `aws sns` asks the endpoint of the variable, `aws sqs` asks https://queue.amazonaws.com/ with either variable:
#              requests that were meant for a local engine go to AWS. With --endpoint-url both obey. (The script gives the
#              commands an address of this machine as a proxy, so nothing leaves it.)
# Output seen: sns: http://127.0.0.1:9/  sqs: https://queue.amazonaws.com/  own: https://queue.amazonaws.com/
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check awscli==1.46.3
export HOME=$folder AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1
export AWS_ENDPOINT_URL=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1
target() {
  { "$folder/venv/bin/aws" --debug "$@" 2>&1 || true; } | grep -oE "https?://(127\.0\.0\.1:9|queue\.amazonaws\.com)/" | tail -1
}
seen="sns: $(target sns list-topics)  sqs: $(target sqs list-queues)"
export AWS_ENDPOINT_URL_SQS=http://127.0.0.1:9
seen="$seen  own: $(target sqs list-queues)"
echo "$seen"
[ "$seen" = "sns: http://127.0.0.1:9/  sqs: https://queue.amazonaws.com/  own: https://queue.amazonaws.com/" ]
