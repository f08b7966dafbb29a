// A stack with all that a shop's messages need, by CDK's default synthesizer. SIZE is a setting that an update changes.
const cdk = require("aws-cdk-lib");
const { aws_dynamodb, aws_events, aws_events_targets, aws_lambda, aws_sns, aws_sqs } = cdk;
const { SqsEventSource } = require("aws-cdk-lib/aws-lambda-event-sources");
const { SqsSubscription } = require("aws-cdk-lib/aws-sns-subscriptions");

const seconds = cdk.Duration.seconds;
const app = new cdk.App();
const stack = new cdk.Stack(app, "Shop");
const dead = new aws_sqs.Queue(stack, "Dead", { queueName: "dead" });
const work = new aws_sqs.Queue(stack, "Work", {
  queueName: "work",
  visibilityTimeout: seconds(Number(process.env.SIZE)),
  deadLetterQueue: { queue: dead, maxReceiveCount: 3 },
});
new aws_sqs.Queue(stack, "Fifo", { queueName: "work.fifo", contentBasedDeduplication: true });
const results = new aws_sqs.Queue(stack, "Results", { queueName: "results" });

const topic = new aws_sns.Topic(stack, "News", { topicName: "news" });
const large = { size: aws_sns.SubscriptionFilter.stringFilter({ allowlist: ["large"] }) };
topic.addSubscription(new SqsSubscription(work, { rawMessageDelivery: true, filterPolicy: large }));

const bus = new aws_events.EventBus(stack, "Bus", { eventBusName: "shop" });
bus.archive("Archive", { eventPattern: { source: ["shop"] }, retention: cdk.Duration.days(1) });
new aws_events.Rule(stack, "Orders", {
  eventBus: bus,
  eventPattern: { source: ["shop"] },
  targets: [
    new aws_events_targets.SqsQueue(work, {
      message: aws_events.RuleTargetInput.fromText(`order of ${aws_events.EventField.fromPath("$.detail.who")}`),
      deadLetterQueue: dead,
    }),
  ],
});
new aws_events.Rule(stack, "Daily", {
  schedule: aws_events.Schedule.rate(cdk.Duration.days(1)),
  targets: [new aws_events_targets.SqsQueue(work)],
});

const worker = new aws_lambda.Function(stack, "Worker", {
  functionName: "worker",
  runtime: aws_lambda.Runtime.PYTHON_3_11,
  handler: "index.handle",
  timeout: seconds(5),
  environment: { RESULTS: results.queueUrl },
  code: aws_lambda.Code.fromInline(`
import os
import boto3

def handle(event, context):
    for record in event["Records"]:
        boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody="done: " + record["body"])
`),
});
worker.addEventSource(new SqsEventSource(work, { batchSize: 1 }));
results.grantSendMessages(worker);
new aws_dynamodb.TableV2(stack, "Orders table", {
  partitionKey: { name: "id", type: aws_dynamodb.AttributeType.STRING },
});
