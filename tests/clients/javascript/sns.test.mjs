// SNS through the JavaScript SDK, which speaks the Query protocol and reads XML.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { NotFoundException, SNS, paginateListSubscriptionsByTopic, paginateListTopics } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { fresh, refused, sendsBy, settings } from "./client.mjs";

const sns = new SNS(settings);
const sqs = new SQS(settings);
after(() => [sns, sqs].forEach((client) => client.destroy()));

async function newTopic(fifo = false) {
  const given = fifo ? { Name: `${fresh("t")}.fifo`, Attributes: { FifoTopic: "true" } } : { Name: fresh("t") };
  return (await sns.createTopic(given)).TopicArn;
}

// A queue that this topic may send to, subscribed to it.
async function subscribed(topicArn, attributes = {}) {
  const fifo = topicArn.endsWith(".fifo");
  const name = fresh("q") + (fifo ? ".fifo" : "");
  const arn = `arn:aws:sqs:eu-west-1:000000000000:${name}`;
  const policy = sendsBy("sns", arn, topicArn);
  const { QueueUrl } = await sqs.createQueue({
    QueueName: name,
    Attributes: fifo ? { ...policy, FifoQueue: "true" } : policy,
  });
  const given = { TopicArn: topicArn, Protocol: "sqs", Endpoint: arn, Attributes: attributes };
  const { SubscriptionArn } = await sns.subscribe(given);
  return { url: QueueUrl, subscriptionArn: SubscriptionArn };
}

async function received(url) {
  const { Messages } = await sqs.receiveMessage({
    QueueUrl: url,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: 5,
    MessageAttributeNames: ["All"],
  });
  return Messages ?? [];
}

test("a topic is created, described, changed and deleted", async () => {
  const topic = await newTopic();

  await sns.setTopicAttributes({ TopicArn: topic, AttributeName: "DisplayName", AttributeValue: "Grüße & <mehr>" });

  const { Attributes } = await sns.getTopicAttributes({ TopicArn: topic });
  assert.equal(Attributes.DisplayName, "Grüße & <mehr>");
  assert.equal(Attributes.SubscriptionsConfirmed, "0");
  await sns.deleteTopic({ TopicArn: topic });
  const error = await refused(sns.getTopicAttributes({ TopicArn: topic }), "NotFoundException");
  assert.ok(error instanceof NotFoundException);
  assert.equal(error.$metadata.httpStatusCode, 404);
  assert.equal(error.$fault, "client");
});

test("a message reaches a queue in its envelope, attributes and all", async () => {
  const topic = await newTopic();
  const { url } = await subscribed(topic);

  const { MessageId } = await sns.publish({
    TopicArn: topic,
    Subject: "greeting",
    Message: "Grüße 🍵 <&>\n",
    MessageAttributes: {
      text: { DataType: "String", StringValue: "ü" },
      blob: { DataType: "Binary", BinaryValue: Buffer.from([0, 255, 1]) },
    },
  });

  const [message] = await received(url);
  const envelope = JSON.parse(message.Body);
  assert.equal(envelope.MessageId, MessageId);
  assert.equal(envelope.Subject, "greeting");
  assert.equal(envelope.Message, "Grüße 🍵 <&>\n");
  assert.deepEqual(envelope.MessageAttributes.blob, { Type: "Binary", Value: "AP8B" });
});

test("a batch is filtered by attribute and delivered raw", async () => {
  const topic = await newTopic();
  const { url, subscriptionArn } = await subscribed(topic, {
    RawMessageDelivery: "true",
    FilterPolicy: JSON.stringify({ size: [{ numeric: [">=", 10] }] }),
  });

  const answer = await sns.publishBatch({
    TopicArn: topic,
    PublishBatchRequestEntries: [5, 10, 15].map((size) => ({
      Id: `e${size}`,
      Message: `size ${size}`,
      MessageAttributes: { size: { DataType: "Number", StringValue: String(size) } },
    })),
  });

  assert.deepEqual(answer.Successful.map(({ Id }) => Id), ["e5", "e10", "e15"]);
  assert.deepEqual(answer.Failed, []);
  const messages = await received(url);
  assert.deepEqual(messages.map(({ Body }) => Body).sort(), ["size 10", "size 15"]);
  assert.equal(messages[0].MessageAttributes.size.DataType, "Number");
  const { Attributes } = await sns.getSubscriptionAttributes({ SubscriptionArn: subscriptionArn });
  assert.equal(Attributes.RawMessageDelivery, "true");
  await sns.unsubscribe({ SubscriptionArn: subscriptionArn });
});

test("a FIFO topic keeps the order on its way to a FIFO queue", async () => {
  const topic = await newTopic(true);
  const { url } = await subscribed(topic, { RawMessageDelivery: "true" });

  for (const body of ["1", "2", "2", "3"])
    await sns.publish({ TopicArn: topic, Message: body, MessageGroupId: "g", MessageDeduplicationId: body });

  assert.deepEqual((await received(url)).map(({ Body }) => Body), ["1", "2", "3"]);
  await refused(sns.publish({ TopicArn: topic, Message: "no group" }), "InvalidParameterException");
});

test("topics and subscriptions are listed to their end", async () => {
  const topic = await newTopic();
  for (let n = 0; n < 101; n++)
    await sns.subscribe({ TopicArn: topic, Protocol: "email", Endpoint: `${n}@example.com` });

  const sizes = [];
  for await (const page of paginateListSubscriptionsByTopic({ client: sns }, { TopicArn: topic }))
    sizes.push(page.Subscriptions.length);
  const topics = [];
  for await (const page of paginateListTopics({ client: sns }, {}))
    topics.push(...page.Topics.map(({ TopicArn }) => TopicArn));

  assert.deepEqual(sizes, [100, 1]);
  assert.ok(topics.includes(topic));
});
