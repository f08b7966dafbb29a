# Version 2 of the AWS CLI: send, receive, delete, publish and put events.
aws() { /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }
/usr/bin/aws --version
case $(/usr/bin/aws --version) in aws-cli/2.*) ;; *) exit 1 ;; esac
url=$(aws sqs create-queue --queue-name work --query QueueUrl)
arn=$(aws sqs get-queue-attributes --queue-url "$url" --attribute-names QueueArn --query Attributes.QueueArn)
policy='{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sqs:SendMessage\", \"Resource\": \"*\"}]}'
aws sqs set-queue-attributes --queue-url "$url" --attributes "{\"Policy\": \"$policy\"}"
receive() { aws sqs receive-message --queue-url "$url" --wait-time-seconds 10 --visibility-timeout 300 --query 'Messages[0].Body'; }
aws sqs send-message --queue-url "$url" --message-body tea
[ "$(receive)" = tea ]
topic=$(aws sns create-topic --name news --query TopicArn)
aws sns subscribe --topic-arn "$topic" --protocol sqs --notification-endpoint "$arn" --attributes RawMessageDelivery=true
aws sns publish --topic-arn "$topic" --message news
[ "$(receive)" = news ]
aws events put-rule --name r --event-pattern '{"source": ["shop"]}'
aws events put-targets --rule r --targets "Id=1,Arn=$arn,InputPath=$.detail.drink"
aws events put-events --entries 'Source=shop,DetailType=order,Detail="{\"drink\": \"coffee\"}"'
[ "$(receive)" = '"coffee"' ]
