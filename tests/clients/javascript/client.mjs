// What the tests share: the settings of every client, and how they look at an error.
// AWS_ENDPOINT_URL, AWS_REGION and the credentials come from the environment, as they would for any program.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const settings = { maxAttempts: 1 };

export const fresh = (name) => `${name}-${randomUUID().slice(0, 8)}`;

// The error that a call ends with, checked for the name by which this SDK tells its kind.
export async function refused(call, name) {
  const error = await call.then(
    () => assert.fail(`expected ${name}`),
    (raised) => raised,
  );
  assert.equal(error.name, name);
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
  return error;
}
