#!/usr/bin/env bash
# Subject:     sns-validator and the third type of SNS message, UnsubscribeConfirmation
# Versions:    sns-validator 0.3.5 (Node.js 20)
# Guess:       a correctly signed message of each type is valid.
# Behaviour:   AWS signs Token in both kinds of confirmation; the validator checks it for SubscriptionConfirmation only, so
#              it refuses every genuine UnsubscribeConfirmation. (The script signs the text that AWS documents, with a key
#              of this machine, and serves the certificate by https.)
# Output seen: SubscriptionConfirmation valid, UnsubscribeConfirmation: The message signature is invalid.
# Source:      https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" sns-validator@0.3.5
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost 2> /dev/null
cat > check.js <<'JS'
const { createSign } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createServer } = require("node:https");
const { promisify } = require("node:util");
const MessageValidator = require("sns-validator");

const key = readFileSync("key.pem");
const cert = readFileSync("cert.pem");
const server = createServer({ key, cert }, (_, response) => response.end(cert)).listen(0, "localhost", async () => {
  const validator = new MessageValidator(/^localhost:\d+$/);
  const results = [];
  for (const Type of ["SubscriptionConfirmation", "UnsubscribeConfirmation"]) {
    const message = {
      Type,
      Message: "m",
      MessageId: "2d2ba7c0-4c0a-4a8c-8e0c-6b6f0c0c4f6a",
      SubscribeURL: "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
      Timestamp: "2026-11-29T07:00:00.000Z",
      Token: "token",
      TopicArn: "arn:aws:sns:us-east-1:111122223333:t",
      SignatureVersion: "1",
      SigningCertURL: `https://localhost:${server.address().port}/cert.pem`,
    };
    const signer = createSign("RSA-SHA1");
    for (const name of ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"])
      signer.update(`${name}\n${message[name]}\n`);
    message.Signature = signer.sign(key, "base64");
    const result = await promisify(validator.validate.bind(validator))(message).then(() => " valid", (e) => `: ${e.message}`);
    results.push(Type + result);
  }
  console.log(results.join(", "));
  process.exit();
});
JS
seen=$(NODE_EXTRA_CA_CERTS=cert.pem node check.js)
echo "$seen"
[ "$seen" = "SubscriptionConfirmation valid, UnsubscribeConfirmation: The message signature is invalid." ]
