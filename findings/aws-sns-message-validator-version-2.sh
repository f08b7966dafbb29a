#!/usr/bin/env bash
# Subject:     the option signature_version of Python's aws-sns-message-validator
# Versions:    aws-sns-message-validator 0.0.5
# Guess:       SNSMessageValidator(signature_version="2") verifies messages of SignatureVersion 2, which are signed by SHA-256.
# Behaviour:   the option only changes the version that a message must name; the digest stays SHA-1, so every genuine
#              message of version 2 is refused. (The script signs the text that AWS documents with a key of this machine.)
# Output seen: version 1: valid, version 2: SignatureVerificationFailureException
# Source:      https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
# Date:        2026-11-29
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  aws-sns-message-validator==0.0.5 requests-cache==1.3.3 cryptography==50.0.2
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$folder/key.pem" -out "$folder/cert.pem" -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost 2> /dev/null
cat > "$folder/check.py" <<'PY'
import base64
import pathlib
import ssl
import sys
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from sns_message_validator import SNSMessageValidator


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


key = serialization.load_pem_private_key(pathlib.Path("key.pem").read_bytes(), None)
server = HTTPServer(("localhost", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = []
for version, digest in (("1", hashes.SHA1()), ("2", hashes.SHA256())):
    message = {
        "Message": "m", "MessageId": "2d2ba7c0-4c0a-4a8c-8e0c-6b6f0c0c4f6a", "Timestamp": "2026-11-29T07:00:00.000Z",
        "TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Type": "Notification",
    }
    text = "".join(f"{name}\n{value}\n" for name, value in message.items())
    message |= {
        "Signature": base64.b64encode(key.sign(text.encode(), PKCS1v15(), digest)).decode(),
        "SignatureVersion": version,
        "SigningCertURL": f"https://localhost:{server.server_port}/cert.pem",
    }
    try:
        SNSMessageValidator(cert_url_regex="^https://localhost:", signature_version=version).validate_message(message)
        seen.append(f"version {version}: valid")
    except Exception as exc:
        seen.append(f"version {version}: {type(exc).__name__}")
print(", ".join(seen))
PY
cd "$folder"
seen=$(REQUESTS_CA_BUNDLE=cert.pem "$folder/venv/bin/python" check.py)
echo "$seen"
[ "$seen" = "version 1: valid, version 2: SignatureVerificationFailureException" ]
