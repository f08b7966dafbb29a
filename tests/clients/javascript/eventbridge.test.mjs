// EventBridge through the JavaScript SDK, which speaks AWS JSON 1.1.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EventBridge, InvalidEventPatternException, ResourceNotFoundException } from "@aws-sdk/client-eventbridge";
import { SQS } from "@aws-sdk/client-sqs";
import { fresh, refused, sendsBy, settings } from "./client.mjs";

const events = new EventBridge(settings);
const sqs = new SQS(settings);
after(() => [events, sqs].forEach((client) => client.destroy()));

async function newBus() {
  const name = fresh("bus");
  await events.createEventBus({ Name: name });
  return name;
}

// A queue that any rule of the account may send to.
async function newQueue() {
  const name = fresh("q");
  const arn = `arn:aws:sqs:eu-west-1:000000000000:${name}`;
  const { QueueUrl } = await sqs.createQueue({ QueueName: name, Attributes: sendsBy("events", arn) });
  return { arn, url: QueueUrl };
}

test("an event goes through a rule and a transformer to a queue", async () => {
  const bus = await newBus();
  const queue = await newQueue();
  const pattern = { source: ["shop"], detail: { total: [{ numeric: [">", 100] }] } };
  await events.putRule({ Name: "large", EventBusName: bus, EventPattern: JSON.stringify(pattern) });
  await events.putTargets({
    Rule: "large",
    EventBusName: bus,
    Targets: [
      {
        Id: "queue",
        Arn: queue.arn,
        InputTransformer: { InputPathsMap: { who: "$.detail.who" }, InputTemplate: '{"greet": "<who>"}' },
      },
    ],
  });

  const put = (total) => ({
    EventBusName: bus,
    Source: "shop",
    DetailType: "order",
    Time: new Date(),
    Detail: JSON.stringify({ total, who: "Zoë 🍵" }),
  });
  const answer = await events.putEvents({ Entries: [put(50), put(150), { ...put(1), Detail: "no" }] });

  assert.equal(answer.FailedEntryCount, 1);
  assert.equal(answer.Entries[2].ErrorCode, "MalformedDetail");
  const { Messages } = await sqs.receiveMessage({ QueueUrl: queue.url, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 });
  assert.deepEqual(Messages.map(({ Body }) => JSON.parse(Body)), [{ greet: "Zoë 🍵" }]);
});

test("a bus, a rule and targets are created, described, listed page by page and removed", async () => {
  const bus = await newBus();
  const queue = await newQueue();
  for (const name of ["a", "b", "c"])
    await events.putRule({ Name: name, EventBusName: bus, EventPattern: '{"source": ["s"]}' });
  await events.putTargets({ Rule: "a", EventBusName: bus, Targets: [{ Id: "1", Arn: queue.arn, Input: '"fixed"' }] });

  const first = await events.listRules({ EventBusName: bus, Limit: 2 });
  const second = await events.listRules({ EventBusName: bus, Limit: 2, NextToken: first.NextToken });

  assert.deepEqual([...first.Rules, ...second.Rules].map(({ Name }) => Name), ["a", "b", "c"]);
  assert.equal(second.NextToken, undefined);
  assert.equal((await events.describeRule({ Name: "a", EventBusName: bus })).State, "ENABLED");
  const { Targets } = await events.listTargetsByRule({ Rule: "a", EventBusName: bus });
  assert.deepEqual(Targets.map(({ Input }) => Input), ['"fixed"']);
  await refused(events.deleteRule({ Name: "a", EventBusName: bus }), "ValidationException");
  await events.removeTargets({ Rule: "a", EventBusName: bus, Ids: ["1"] });
  for (const name of ["a", "b", "c"]) await events.deleteRule({ Name: name, EventBusName: bus });
  await events.deleteEventBus({ Name: bus });
  const error = await refused(
    events.describeRule({ Name: "a", EventBusName: bus }),
    "ResourceNotFoundException",
  );
  assert.ok(error instanceof ResourceNotFoundException);
});

test("a pattern is tested, and an invalid one rejected", async () => {
  const event = JSON.stringify({
    id: "1",
    source: "shop",
    account: "000000000000",
    time: "2026-01-01T00:00:00Z",
    region: "eu-west-1",
    resources: [],
    "detail-type": "order",
    detail: { name: "Zoë" },
  });
  const matches = (pattern) => events.testEventPattern({ Event: event, EventPattern: pattern });

  assert.equal((await matches('{"detail": {"name": [{"prefix": "Zo"}]}}')).Result, true);
  assert.equal((await matches('{"detail": {"name": [{"suffix": "x"}]}}')).Result, false);
  const error = await refused(matches('{"source": "shop"}'), "InvalidEventPatternException");
  assert.ok(error instanceof InvalidEventPatternException);
});
