// Validators of SNS messages demand https and AWS's host. sns-validator is given a pattern for the host that localbus has;
// for sns-payload-validator localbus takes the host's name (--public-url). NODE_EXTRA_CA_CERTS names the certificate.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { Agent } from "node:https";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { SNS } from "@aws-sdk/client-sns";
import SnsPayloadValidator from "sns-payload-validator";
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

const { HTTPS_PORT } = process.env;

// An agent that connects to localbus, whatever the host's name is, as an entry in /etc/hosts would at port 443.
class LocalAgent extends Agent {
  createConnection(options, connected) {
    return super.createConnection({ ...options, host: "127.0.0.1", port: HTTPS_PORT }, connected);
  }
}

const ofPattern = new MessageValidator(/^127\.0\.0\.1:\d+$/);
const validators = {
  "sns-validator": promisify(ofPattern.validate.bind(ofPattern)),
  "sns-payload-validator": (message) => new SnsPayloadValidator({ requestAgent: new LocalAgent() }).validate(message),
};
const validate = validators[process.env.VALIDATOR];

for (const version of ["1", "2"])
  test(`signature version ${version}: a confirmation and a notification are valid, a changed one is not`, async () => {
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
    await assert.rejects(validate({ ...notified, Message: "changed" }), /signature/i);
  });
