// sqs-consumer, sqs-producer and squiss-ts: work, retry and dead letters.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { SQS } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { Producer } from "sqs-producer";
import { Squiss } from "squiss-ts";
import { fresh, settings } from "./client.mjs";

const sqs = new SQS(settings);
after(() => sqs.destroy());

const ARN = `arn:aws:sqs:${process.env.AWS_REGION}:000000000000`;

// A queue with a dead-letter queue after two receives.
async function newQueues() {
  const name = fresh("work");
  const { QueueUrl: dlq } = await sqs.createQueue({ QueueName: `${name}-dlq` });
  const redrive = { deadLetterTargetArn: `${ARN}:${name}-dlq`, maxReceiveCount: 2 };
  const { QueueUrl: url } = await sqs.createQueue({
    QueueName: name,
    Attributes: { RedrivePolicy: JSON.stringify(redrive) },
  });
  return { name, url, dlq };
}

const counted = (seen, body) => seen.filter((each) => each === body).length;

async function deadLetter(dlq) {
  const { Messages } = await sqs.receiveMessage({ QueueUrl: dlq, WaitTimeSeconds: 20 });
  return Messages[0].Body;
}

test("sqs-consumer works off what sqs-producer sends, and tries a failed message again", async () => {
  const { url, dlq } = await newQueues();
  const seen = [];
  const consumer = Consumer.create({
    queueUrl: url,
    sqs,
    batchSize: 10,
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      seen.push(message.Body);
      if (message.Body === "poison") throw new Error("poison");
      return message;
    },
  });
  consumer.on("processing_error", () => {});

  await Producer.create({ queueUrl: url, sqs }).send([..."abcdefghijk", "poison"]);
  consumer.start();
  const dead = await deadLetter(dlq);
  consumer.stop({ abort: true });

  assert.equal(dead, "poison");
  assert.equal(counted(seen, "poison"), 2);
  assert.deepEqual([...new Set(seen)].sort(), [..."abcdefghijk", "poison"]);
});

test("squiss-ts sends objects with attributes, deletes, and releases a message to another try", async () => {
  const { name, dlq } = await newQueues();
  const squiss = new Squiss({ awsConfig: settings, queueName: name, bodyFormat: "json", maxInFlight: 5 });
  const seen = [];
  squiss.on("message", (message) => {
    seen.push(`${message.body.drink} ${message.attributes.size}`);
    if (message.body.drink === "poison") message.release();
    else message.del();
  });

  await squiss.sendMessages([{ drink: "tea" }, { drink: "poison" }], 0, { size: "large" });
  await squiss.start();
  const dead = await deadLetter(dlq);
  await squiss.stop();

  assert.equal(JSON.parse(dead).drink, "poison");
  assert.deepEqual(seen.toSorted(), ["poison large", "poison large", "tea large"]);
});
