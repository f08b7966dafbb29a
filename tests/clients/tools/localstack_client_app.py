"""localstack-client: its session finds localbus by LOCALSTACK_HOST or AWS_ENDPOINT_URL."""

import localstack_client.session

sqs = localstack_client.session.Session().client("sqs")
url = sqs.create_queue(QueueName="work")["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="tea")
[message] = sqs.receive_message(QueueUrl=url)["Messages"]
assert message["Body"] == "tea"
