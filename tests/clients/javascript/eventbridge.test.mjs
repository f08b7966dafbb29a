// EventBridge through the JavaScript SDK, which speaks AWS JSON 1.1.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  InvalidEventPatternException,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  ResourceNotFoundException,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { fresh, refused, settings } from "./client.mjs";

const events = new EventBridgeClient(settings);
const sqs = new SQSClient(settings);
after(() => [events, sqs].forEach((client) => client.destroy()));

async function newBus() {
  const name = fresh("bus");
  await events.send(new CreateEventBusCommand({ Name: name }));
  return name;
}

// A queue that any rule of the account may send to.
async function newQueue() {
  const name = fresh("q");
  const arn = `arn:aws:sqs:eu-west-1:000000000000:${name}`;
  const statement = {
    Effect: "Allow",
    Principal: { Service: "events.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: arn,
  };
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { Policy: JSON.stringify({ Statement: [statement] }) } }),
  );
  return { arn, url: QueueUrl };
}

test("an event goes through a rule and a transformer to a queue", async () => {
  const bus = await newBus();
  const queue = await newQueue();
  const pattern = { source: ["shop"], detail: { total: [{ numeric: [">", 100] }] } };
  await events.send(new PutRuleCommand({ Name: "large", EventBusName: bus, EventPattern: JSON.stringify(pattern) }));
  await events.send(
    new PutTargetsCommand({
      Rule: "large",
      EventBusName: bus,
      Targets: [
        {
          Id: "queue",
          Arn: queue.arn,
          InputTransformer: { InputPathsMap: { who: "$.detail.who" }, InputTemplate: '{"greet": "<who>"}' },
        },
      ],
    }),
  );

  const put = (total) => ({
    EventBusName: bus,
    Source: "shop",
    DetailType: "order",
    Time: new Date(),
    Detail: JSON.stringify({ total, who: "Zoë 🍵" }),
  });
  const answer = await events.send(new PutEventsCommand({ Entries: [put(50), put(150), { ...put(1), Detail: "no" }] }));

  assert.equal(answer.FailedEntryCount, 1);
  assert.equal(answer.Entries[2].ErrorCode, "MalformedDetail");
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }),
  );
  assert.deepEqual(Messages.map(({ Body }) => JSON.parse(Body)), [{ greet: "Zoë 🍵" }]);
});

test("a bus, a rule and targets are made, described, listed page by page and removed", async () => {
  const bus = await newBus();
  const queue = await newQueue();
  for (const name of ["a", "b", "c"])
    await events.send(new PutRuleCommand({ Name: name, EventBusName: bus, EventPattern: '{"source": ["s"]}' }));
  await events.send(
    new PutTargetsCommand({ Rule: "a", EventBusName: bus, Targets: [{ Id: "1", Arn: queue.arn, Input: '"fixed"' }] }),
  );

  const first = await events.send(new ListRulesCommand({ EventBusName: bus, Limit: 2 }));
  const second = await events.send(new ListRulesCommand({ EventBusName: bus, Limit: 2, NextToken: first.NextToken }));

  assert.deepEqual([...first.Rules, ...second.Rules].map(({ Name }) => Name), ["a", "b", "c"]);
  assert.equal(second.NextToken, undefined);
  assert.equal((await events.send(new DescribeRuleCommand({ Name: "a", EventBusName: bus }))).State, "ENABLED");
  const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: "a", EventBusName: bus }));
  assert.deepEqual(Targets.map(({ Input }) => Input), ['"fixed"']);
  await refused(events.send(new DeleteRuleCommand({ Name: "a", EventBusName: bus })), "ValidationException");
  await events.send(new RemoveTargetsCommand({ Rule: "a", EventBusName: bus, Ids: ["1"] }));
  for (const name of ["a", "b", "c"]) await events.send(new DeleteRuleCommand({ Name: name, EventBusName: bus }));
  await events.send(new DeleteEventBusCommand({ Name: bus }));
  const error = await refused(
    events.send(new DescribeRuleCommand({ Name: "a", EventBusName: bus })),
    "ResourceNotFoundException",
  );
  assert.ok(error instanceof ResourceNotFoundException);
});

test("a pattern is tried, and a bad one refused", async () => {
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
  const tried = (pattern) => events.send(new TestEventPatternCommand({ Event: event, EventPattern: pattern }));

  assert.equal((await tried('{"detail": {"name": [{"prefix": "Zo"}]}}')).Result, true);
  assert.equal((await tried('{"detail": {"name": [{"suffix": "x"}]}}')).Result, false);
  const error = await refused(tried('{"source": "shop"}'), "InvalidEventPatternException");
  assert.ok(error instanceof InvalidEventPatternException);
});
