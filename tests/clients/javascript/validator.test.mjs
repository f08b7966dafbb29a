// sns-validator: it demands https and AWS's host, so it is given a pattern for the host; NODE_EXTRA_CA_CERTS names the
// certificate of the https port.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { SNS } from "@aws-sdk/client-sns";
import MessageValidator from "sns-validator";
import { fresh, settings } from "./client.mjs";

const sns = new SNS(settings);
const server = createServer(async (request, response) => {
  const pieces = await request.toArray();
  response.end();
  server.emit("document", JSON.parse(Buffer.concat(pieces)));
});
after(() => {
  sns.destroy();
  server.closeAllConnections();
  server.close();
});

for (const version of ["1", "2"])
  test(`signature version ${version}: a confirmation and a notification are valid, a changed one is not`, async () => {
    const validator = new MessageValidator(/^127\.0\.0\.1:\d+$/);
    const validate = promisify(validator.validate.bind(validator));
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    const { TopicArn } = await sns.createTopic({ Name: fresh("t"), Attributes: { SignatureVersion: version } });

    const confirmation = once(server, "document");
    await sns.subscribe({ TopicArn, Protocol: "http", Endpoint: `http://127.0.0.1:${server.address().port}` });
    const [asked] = await confirmation;
    await sns.confirmSubscription({ TopicArn, Token: asked.Token });
    const notification = once(server, "document");
    await sns.publish({ TopicArn, Message: "Grüße", Subject: "greeting" });
    const [notified] = await notification;

    assert.equal(new URL(asked.SigningCertURL).protocol, "https:");
    assert.equal((await validate({ ...asked })).Token, asked.Token);
    assert.equal((await validate({ ...notified })).Message, "Grüße");
    await assert.rejects(validate({ ...notified, Message: "changed" }), /signature/);
  });
