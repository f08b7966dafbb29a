# awslocal adds the endpoint to version 1 of the AWS CLI: send, retry, dead letter and redrive.
url() { awslocal sqs get-queue-url --queue-name "$1" --output text; }
receive() { awslocal sqs receive-message --queue-url "$(url "$1")" --wait-time-seconds 10 --query 'Messages[0].Body' --output text; }
awslocal sqs create-queue --queue-name dead
arn=$(awslocal sqs get-queue-attributes --queue-url "$(url dead)" --attribute-names QueueArn --query Attributes.QueueArn --output text)
cat > attributes.json <<JSON
{"VisibilityTimeout": "0", "RedrivePolicy": "{\"deadLetterTargetArn\": \"$arn\", \"maxReceiveCount\": \"1\"}"}
JSON
awslocal sqs create-queue --queue-name work --attributes file://attributes.json
awslocal sqs send-message --queue-url "$(url work)" --message-body poison
[ "$(receive work)" = poison ]
[ "$(receive work)" = None ]
awslocal sqs start-message-move-task --source-arn "$arn"
[ "$(receive work)" = poison ]
