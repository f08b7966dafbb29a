# CDK's default `cdk deploy`, `cdk diff`, an update and `cdk destroy` of one stack, and what its resources do.
CDK=${CDK:-cdk}
export CI=1 CDK_DISABLE_CLI_TELEMETRY=1
cat > cdk.json <<JSON
{"app": "node $TOOLS/cdk_app.js", "context": {"@aws-cdk/core:stackRelativeExports": true}}
JSON
boto() { python -c 'import json, sys, boto3; print(eval(sys.argv[1], {"c": boto3.client, "json": json}))' "$1"; }
url() { boto "c('sqs').get_queue_url(QueueName='$1')['QueueUrl']"; }
result() { boto "c('sqs').receive_message(QueueUrl='$(url results)', WaitTimeSeconds=20, VisibilityTimeout=300)['Messages'][0]['Body']"; }
timeout() { boto "c('sqs').get_queue_attributes(QueueUrl='$(url work)', AttributeNames=['All'])['Attributes']['VisibilityTimeout']"; }

export SIZE=30
$CDK bootstrap
$CDK deploy --require-approval never
boto "c('events').put_events(Entries=[{'EventBusName': 'shop', 'Source': 'shop', 'DetailType': 'o', 'Detail': json.dumps({'who': 'ada'})}])['FailedEntryCount']"
[ "$(result)" = 'done: "order of ada"' ]
topic=$(boto "c('sns').list_topics()['Topics'][0]['TopicArn']")
for size in small large; do
  boto "c('sns').publish(TopicArn='$topic', Message='$size', MessageAttributes={'size': {'DataType': 'String', 'StringValue': '$size'}})['MessageId']"
done
[ "$(result)" = "done: large" ]
[ "$(timeout)" = 30 ]

export SIZE=40
$CDK diff 2>&1 | tee diff.txt
grep -q VisibilityTimeout diff.txt
$CDK deploy --require-approval never
[ "$(timeout)" = 40 ]
$CDK destroy --force
[ "$(boto "len(c('sqs').list_queues().get('QueueUrls', []))")" = 0 ]
