#!/usr/bin/env bash
# Subject:     rules of EventBridge in cfn-lint: schedules, event patterns and targets
# Versions:    cfn-lint 1.58.0
# Guess:       a linter that knows the grammar of rate(1 minute) also knows that of event patterns, and which members of a
#              target exclude each other (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html).
# Behaviour:   rate(1 minutes) is reported. A pattern whose "source" is a text instead of a list, a "numeric" matcher with
#              one operator, a target with both Input and InputPath, and a FIFO queue as a target without SqsParameters
#              pass without a word; they fail when the stack is created.
# Output seen: reported: schedule  passed: pattern-text, numeric, two-inputs, fifo-target
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cfn-lint==1.58.0
cd "$folder"
template() {
  cat > "$1.yaml" <<YAML
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Work: {Type: AWS::SQS::Queue}
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Rule:
    Type: AWS::Events::Rule
    Properties: $2
YAML
}
work='Targets: [{Id: work, Arn: !GetAtt Work.Arn}]'
template schedule "{ScheduleExpression: rate(1 minutes), $work}"
template pattern-text "{EventPattern: {source: shop}, $work}"
template numeric "{EventPattern: {detail: {total: [{numeric: ['>']}]}}, $work}"
template two-inputs "{EventPattern: {source: [shop]}, Targets: [{Id: work, Arn: !GetAtt Work.Arn, Input: '{}', InputPath: \$.detail}]}"
template fifo-target "{EventPattern: {source: [shop]}, Targets: [{Id: work, Arn: !GetAtt Ordered.Arn}]}"
reported="" passed=""
for name in schedule pattern-text numeric two-inputs fifo-target; do
  if venv/bin/cfn-lint "$name.yaml" > "$name.log"; then passed="$passed, $name"; else reported="$reported, $name"; fi
done
seen="reported: ${reported#, }  passed: ${passed#, }"
echo "$seen"
[ "$seen" = "reported: schedule  passed: pattern-text, numeric, two-inputs, fifo-target" ]
