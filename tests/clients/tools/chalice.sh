# Chalice deploys a function with a queue and a topic as its sources, and it receives what they send.
aws() { python -c 'import sys, boto3; print(eval(sys.argv[1], {"c": boto3.client}))' "$1"; }
aws 'c("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]'
results=$(aws 'c("sqs").create_queue(QueueName="results")["QueueUrl"]')
topic=$(aws 'c("sns").create_topic(Name="news")["TopicArn"]')
mkdir -p shop/.chalice
cat > shop/app.py <<'PY'
import boto3
from chalice import Chalice

app = Chalice(app_name="shop")


def done(text):
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="results")["QueueUrl"], MessageBody=text)


@app.on_sqs_message(queue="orders", batch_size=1)
def work(event):
    for record in event:
        done("order " + record.body)


@app.on_sns_message(topic="news")
def read(event):
    done("news " + event.message)
PY
touch shop/requirements.txt
echo '{"version": "2.0", "app_name": "shop", "stages": {"dev": {"manage_iam_role": false, "iam_role_arn": "arn:aws:iam::000000000000:role/shop"}}}' > shop/.chalice/config.json
cd shop
chalice deploy
aws 'c("sqs").send_message(QueueUrl=c("sqs").get_queue_url(QueueName="orders")["QueueUrl"], MessageBody="tea")["MessageId"]'
aws "c('sns').publish(TopicArn='$topic', Message='open')['MessageId']"
seen=
for _ in 1 2; do
  seen="$seen $(aws "c('sqs').receive_message(QueueUrl='$results', WaitTimeSeconds=20, VisibilityTimeout=300)['Messages'][0]['Body']")"
done
echo "$seen"
case $seen in *"order tea"*) ;; *) exit 1 ;; esac
case $seen in *"news open"*) ;; *) exit 1 ;; esac
chalice delete
