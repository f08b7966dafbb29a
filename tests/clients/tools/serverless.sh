# The Serverless Framework with serverless-localstack: a function with a queue and a rule as its sources.
mkdir shop
cd shop
ln -s "$NODE_PATH" node_modules
port=${AWS_ENDPOINT_URL##*:}
cat > serverless.yml <<YML
service: shop
frameworkVersion: "3"
plugins: [serverless-localstack]
custom:
  localstack:
    stages: [local]
    host: http://127.0.0.1
    edgePort: $port
provider:
  name: aws
  runtime: python3.11
  stage: local
functions:
  worker:
    handler: app.handle
    events:
      - sqs: {arn: !GetAtt Work.Arn, batchSize: 1}
      - eventBridge: {pattern: {source: [shop]}}
resources:
  Resources:
    Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work}}
    Results: {Type: AWS::SQS::Queue, Properties: {QueueName: results}}
YML
cat > app.py <<'PY'
import boto3


def handle(event, context):
    sqs = boto3.client("sqs")
    results = sqs.get_queue_url(QueueName="results")["QueueUrl"]
    for text in [one["body"] for one in event["Records"]] if "Records" in event else [event["detail-type"]]:
        sqs.send_message(QueueUrl=results, MessageBody=text)
PY
boto() { python -c 'import sys, boto3; print(eval(sys.argv[1], {"c": boto3.client}))' "$1"; }
url() { boto "c('sqs').get_queue_url(QueueName='$1')['QueueUrl']"; }
result() { boto "c('sqs').receive_message(QueueUrl='$(url results)', WaitTimeSeconds=20, VisibilityTimeout=300)['Messages'][0]['Body']"; }
export SLS_INTERACTIVE_SETUP_ENABLE=0 SLS_TELEMETRY_DISABLED=1 SLS_NOTIFICATIONS_MODE=off
serverless deploy --stage local
boto "c('sqs').send_message(QueueUrl='$(url work)', MessageBody='tea')['MessageId']"
[ "$(result)" = tea ]
boto "c('events').put_events(Entries=[{'Source': 'shop', 'DetailType': 'order', 'Detail': '{}'}])['FailedEntryCount']"
[ "$(result)" = order ]
serverless remove --stage local
[ "$(boto "len(c('sqs').list_queues().get('QueueUrls', []))")" = 0 ]
