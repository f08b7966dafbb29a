// SQS through the JavaScript SDK, which checks the MD5 of every message by itself.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { QueueDoesNotExist, SQS, paginateListQueues } from "@aws-sdk/client-sqs";
import { fresh, refused, settings } from "./client.mjs";

const sqs = new SQS(settings);
after(() => sqs.destroy());

async function newQueue(attributes = {}, tags = undefined) {
  const name = fresh("q") + (attributes.FifoQueue ? ".fifo" : "");
  const made = await sqs.createQueue({ QueueName: name, Attributes: attributes, tags });
  return { name, url: made.QueueUrl };
}

const receive = (url, more = {}) => sqs.receiveMessage({ QueueUrl: url, ...more });

test("a queue is created, found, described, changed, tagged and deleted", async () => {
  const { name, url } = await newQueue({ VisibilityTimeout: "5" }, { team: "bar" });

  await sqs.setQueueAttributes({ QueueUrl: url, Attributes: { DelaySeconds: "1" } });
  await sqs.tagQueue({ QueueUrl: url, Tags: { größe: "groß & <rund>" } });

  assert.equal((await sqs.getQueueUrl({ QueueName: name })).QueueUrl, url);
  const { Attributes: shown } = await sqs.getQueueAttributes({ QueueUrl: url, AttributeNames: ["All"] });
  assert.equal(shown.VisibilityTimeout, "5");
  assert.equal(shown.DelaySeconds, "1");
  assert.equal(shown.QueueArn, `arn:aws:sqs:eu-west-1:000000000000:${name}`);
  const { Tags } = await sqs.listQueueTags({ QueueUrl: url });
  assert.deepEqual({ ...Tags }, { team: "bar", größe: "groß & <rund>" });
  await sqs.deleteQueue({ QueueUrl: url });
  await refused(sqs.getQueueUrl({ QueueName: name }), "QueueDoesNotExist");
});

test("bodies and attributes of every type arrive as they were sent", async () => {
  const { url } = await newQueue();
  const blob = randomBytes(300);
  const body = 'Grüße 🍵 <order id="1">&amp;\t\r\n</order>';

  const sent = await sqs.sendMessage({
    QueueUrl: url,
    MessageBody: body,
    MessageAttributes: {
      text: { DataType: "String", StringValue: "ü🍵" },
      price: { DataType: "Number.cents", StringValue: "-1.5e3" },
      blob: { DataType: "Binary.png", BinaryValue: blob },
    },
  });
  const { Messages } = await receive(url, { MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] });

  const [message] = Messages;
  assert.equal(message.MessageId, sent.MessageId);
  assert.equal(message.Body, body);
  assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
  assert.equal(message.MessageAttributes.text.StringValue, "ü🍵");
  assert.equal(message.MessageAttributes.price.DataType, "Number.cents");
  assert.deepEqual(Buffer.from(message.MessageAttributes.blob.BinaryValue), blob);
  assert.equal(message.Attributes.ApproximateReceiveCount, "1");
});

test("a batch is sent, received and deleted, with one invalid entry reported", async () => {
  const { url } = await newQueue();
  const entries = Array.from({ length: 9 }, (_, n) => ({ Id: `id-${n}`, MessageBody: `body ${n}` }));

  const sent = await sqs.sendMessageBatch({
    QueueUrl: url,
    Entries: [...entries, { Id: "bad", MessageBody: "late", DelaySeconds: 901 }],
  });
  const { Messages } = await receive(url, { MaxNumberOfMessages: 10 });
  const deleted = await sqs.deleteMessageBatch({
    QueueUrl: url,
    Entries: Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
  });

  assert.equal(sent.Successful.length, 9);
  assert.deepEqual(sent.Failed.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault]), [
    ["bad", "InvalidParameterValue", true],
  ]);
  assert.equal(deleted.Successful.length, 9);
  assert.deepEqual(deleted.Failed ?? [], []);
});

test("an empty queue returns no messages, and a long poll returns at the first one", async () => {
  const { url } = await newQueue();
  assert.equal((await receive(url)).Messages, undefined);

  const waiting = receive(url, { WaitTimeSeconds: 20 });
  await sqs.sendMessage({ QueueUrl: url, MessageBody: "at last" });

  assert.equal((await waiting).Messages[0].Body, "at last");
});

test("a message made visible again is received again, and purged", async () => {
  const { url } = await newQueue();
  await sqs.sendMessage({ QueueUrl: url, MessageBody: "b" });
  const [first] = (await receive(url)).Messages;

  await sqs.changeMessageVisibility({ QueueUrl: url, ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 0 });

  const [second] = (await receive(url, { VisibilityTimeout: 0, AttributeNames: ["ApproximateReceiveCount"] })).Messages;
  assert.equal(second.Attributes.ApproximateReceiveCount, "2");
  await sqs.purgeQueue({ QueueUrl: url });
  assert.equal((await receive(url)).Messages, undefined);
  await refused(sqs.purgeQueue({ QueueUrl: url }), "PurgeQueueInProgress");
});

test("a FIFO queue keeps the order of a group and drops duplicates", async () => {
  const { url } = await newQueue({ FifoQueue: "true" });
  const send = (body, id) =>
    sqs.sendMessage({ QueueUrl: url, MessageBody: body, MessageGroupId: "g", MessageDeduplicationId: id });

  const first = await send("a", "1");
  await send("b", "2");
  const again = await send("a", "1");

  assert.equal(again.MessageId, first.MessageId);
  assert.equal(again.SequenceNumber, first.SequenceNumber);
  const { Messages } = await receive(url, { MaxNumberOfMessages: 10, ReceiveRequestAttemptId: "attempt" });
  assert.deepEqual(Messages.map(({ Body }) => Body), ["a", "b"]);
});

test("queues are listed page by page", async () => {
  const prefix = fresh("page");
  for (let n = 0; n < 5; n++) await sqs.createQueue({ QueueName: `${prefix}-${n}` });

  const sizes = [];
  for await (const page of paginateListQueues({ client: sqs, pageSize: 2 }, { QueueNamePrefix: prefix }))
    sizes.push(page.QueueUrls.length);

  assert.deepEqual(sizes, [2, 2, 1]);
  assert.equal((await sqs.listQueues({ QueueNamePrefix: fresh("none") })).QueueUrls, undefined);
});

test("errors have the names and classes of this SDK", async () => {
  const missing = await refused(
    sqs.sendMessage({ QueueUrl: `${process.env.AWS_ENDPOINT_URL}/000000000000/none`, MessageBody: "b" }),
    "QueueDoesNotExist",
  );
  assert.ok(missing instanceof QueueDoesNotExist);
  assert.equal(missing.Code, "AWS.SimpleQueueService.NonExistentQueue");
  assert.equal(missing.$fault, "client");
  const { url } = await newQueue();
  await refused(sqs.sendMessage({ QueueUrl: url, MessageBody: "" }), "MissingParameter");
  await refused(sqs.deleteMessage({ QueueUrl: url, ReceiptHandle: "garbage" }), "ReceiptHandleIsInvalid");
  await refused(sqs.sendMessageBatch({ QueueUrl: url, Entries: [] }), "EmptyBatchRequest");
});
