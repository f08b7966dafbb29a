"""amazon-sqs-extended-client: a body of 400,000 bytes goes through a bucket, and is deleted with its message."""

import boto3
import sqs_extended_client  # noqa: F401 - it changes boto3's clients

s3, sqs = boto3.client("s3"), boto3.client("sqs")
s3.create_bucket(Bucket="payloads")
sqs.large_payload_support = "payloads"
sqs.delete_payload_from_s3 = True
url = sqs.create_queue(QueueName="large")["QueueUrl"]
body = "x" * 400_000

sqs.send_message(QueueUrl=url, MessageBody=body)
assert s3.list_objects_v2(Bucket="payloads")["KeyCount"] == 1
[message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])["Messages"]
assert message["Body"] == body
sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
assert s3.list_objects_v2(Bucket="payloads")["KeyCount"] == 0
