// Settings, names, queue policies and error checks for every test.
// AWS_ENDPOINT_URL, AWS_REGION and the credentials come from the environment, as they would for any program.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const settings = { maxAttempts: 1 };

// The attributes of a queue to which this service may send, such as sns, and only from this source if there is one.
export const sendsBy = (service, queueArn, sourceArn) => {
  const statement = {
    Effect: "Allow",
    Principal: { Service: `${service}.amazonaws.com` },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    ...(sourceArn ? { Condition: { ArnEquals: { "aws:SourceArn": sourceArn } } } : {}),
  };
  return { Policy: JSON.stringify({ Statement: [statement] }) };
};

export const fresh = (name) => `${name}-${randomUUID().slice(0, 8)}`;

// Expect a call to fail with an error of this name, and return the error.
export async function refused(call, name) {
  const error = await call.then(
    () => assert.fail(`expected ${name}`),
    (raised) => raised,
  );
  assert.equal(error.name, name);
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
  return error;
}
