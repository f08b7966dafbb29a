# The example of docs/use-localbus.md: `cdk deploy` to localbus alone, and a start with what `cdk synth` wrote.
export CI=1 CDK_DISABLE_CLI_TELEMETRY=1
ln -s "$NODE_PATH" node_modules
page() { PYTHONPATH=$TOOLS/../.. "$LOCALBUS_PYTHON" -c "from clients.page import commands, files; print($1)"; }
works() {
  python - "$1" <<'PY'
import json, sys, boto3
sns, sqs = (boto3.client(name, endpoint_url=sys.argv[1]) for name in ("sns", "sqs"))
sns.publish(TopicArn=sns.list_topics()["Topics"][0]["TopicArn"], Message="flat white")
message = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="work")["QueueUrl"])["Messages"][0]
assert json.loads(message["Body"])["Message"] == "flat white"
PY
}

page 'files()["app.mjs"]' > app.mjs
eval "$(page '"\n".join(commands("AWS CDK"))')"
works "$AWS_ENDPOINT_URL"

npx cdk synth --app "node app.mjs" --quiet
"$LOCALBUS_PYTHON" -m localbus --port 0 --init cdk.out/Shop.template.json > address 2> log &
trap 'kill %1' EXIT
for _ in $(seq 100); do grep -q listens address && break; sleep 0.1; done
works "$(sed -n 's/^localbus listens on //p' address)"
