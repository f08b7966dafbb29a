"""Values that the upstream stores for templates: parameters of Systems Manager, and secrets.

A template reads them with parameters of a type such as AWS::SSM::Parameter::Value<String>, and with dynamic references:
{{resolve:ssm:NAME:VERSION}} and {{resolve:secretsmanager:SECRET:secret-string:KEY:STAGE:VERSION}}.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from localbus.cloudformation.template import parameters as template_parameters
from localbus.cloudformation.template.parser import as_text
from localbus.errors import AwsError
from localbus.http.client import NoAnswerError
from localbus.protocol.service import Caller
from localbus.protocol.service_model import Params
from localbus.upstream.client import UpstreamClient

_REFERENCE = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^{}]*)\}\}")
_SSM = re.compile(r"[A-Za-z0-9_.\-/]+(?::[0-9]+)?")
_NAMES_A_CALL = 10  # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html


class UpstreamValues:
    """The upstream's Systems Manager and Secrets Manager."""

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client

    async def parameter_values(
        self, definitions: Mapping[str, Any], given: Mapping[str, str], caller: Caller
    ) -> dict[str, str]:
        """The stored values of those template parameters that name one in Systems Manager. Raises AwsError."""
        names = template_parameters.names_in_store(definitions, given)
        if not names:
            return {}
        first = next(iter(names))
        found = await self._parameters(set(names.values()), caller, f"Parameter {first} ({definitions[first]['Type']})")
        missing = dict.fromkeys(name for name in names.values() if name not in found)
        if missing:
            text = f"Unable to fetch parameters [{','.join(missing)}] from parameter store for this account."
            raise AwsError("ValidationError", text)
        stored = {name: text for name, text in names.items() if template_parameters.is_stored(definitions[name])}
        secure = dict.fromkeys(text for text in stored.values() if found[text]["Type"] == "SecureString")
        if secure:
            text = f"Parameters [{','.join(secure)}] referenced by template have types not supported by CloudFormation."
            raise AwsError("ValidationError", text)
        return {name: str(found[text]["Value"]) for name, text in stored.items()}

    async def check(self, resources: Mapping[str, Any], caller: Caller) -> None:
        """Raise AwsError for a dynamic reference that cannot be resolved. Secrets are read at the deployment only.

        `resources` are the types and properties by logical id.
        """
        secure, names = list[str](), list[str]()
        for kind, properties in resources.values():
            for path, match in _references(properties, f"{kind}/Properties"):
                service, name = match.groups()
                if service == "secretsmanager":
                    continue
                if not _SSM.fullmatch(name):
                    text = f"Incorrect format is used in the following SSM reference: [{match[0]}]"
                    raise AwsError("ValidationError", text)
                (names if service == "ssm" else secure).append(name if service == "ssm" else path)
        if secure:  # no property of a queue, topic or rule is in AWS's list of those that take a secure string
            raise AwsError("ValidationError", f"SSM Secure reference is not supported in: [{','.join(secure)}]")
        if names:
            await self._resolved_parameters(names, caller)

    async def resolve(self, value: Any, caller: Caller) -> Any:
        """A value with its dynamic references resolved. Raises AwsError."""
        found: dict[str, str] = {}
        matches = [match for _, match in _references(value, "")]
        parameters = [match[2] for match in matches if match[1] == "ssm"]
        values = await self._resolved_parameters(parameters, caller) if parameters else {}
        for match in matches:
            if match[1] == "ssm":
                found[match[0]] = values[match[2]]
            elif match[0] not in found:
                found[match[0]] = await self._secret(match[2], caller)
        return _replaced(value, found) if found else value

    async def _resolved_parameters(self, names: list[str], caller: Caller) -> dict[str, str]:
        found = await self._parameters(set(names), caller, f"{{{{resolve:ssm:{names[0]}}}}}")
        missing = dict.fromkeys(f"ssm:{name}" for name in names if name not in found)
        if missing:
            raise AwsError("ValidationError", f"Parameters: [{', '.join(missing)}] cannot be found.")
        return {name: str(found[name]["Value"]) for name in names}

    async def _parameters(self, names: set[str], caller: Caller, purpose: str) -> dict[str, Params]:
        """The parameters of Systems Manager that exist, by the names (NAME or NAME:VERSION) that were asked for."""
        found: dict[str, Params] = {}
        wanted = sorted(names)
        for at in range(0, len(wanted), _NAMES_A_CALL):
            params = {"Names": wanted[at : at + _NAMES_A_CALL]}
            answer = await self._call("ssm", "AmazonSSM.GetParameters", params, caller, purpose)
            found |= {f"{one['Name']}{one.get('Selector') or ''}": one for one in answer.get("Parameters", [])}
        return found

    async def _secret(self, reference: str, caller: Caller) -> str:
        """The text of a secret, or of one of the keys of a secret that is a JSON object."""
        secret, key, stage, version = _secret_parts(reference)
        given = {"SecretId": secret, "VersionStage": stage, "VersionId": version}
        params = {name: value for name, value in given.items() if value}
        purpose = f"{{{{resolve:secretsmanager:{reference}}}}}"
        answer = await self._call("secretsmanager", "secretsmanager.GetSecretValue", params, caller, purpose)
        text = str(answer.get("SecretString", ""))
        if not key:
            return text
        try:
            return as_text(json.loads(text)[key])
        except ValueError as exc:
            raise AwsError("ValidationError", "Could not parse SecretString JSON") from exc
        except (KeyError, TypeError) as exc:
            raise AwsError("ValidationError", "Could not find a value associated with JSONKey in SecretString") from exc

    async def _call(self, service: str, target: str, params: Params, caller: Caller, purpose: str) -> Params:
        if not self._client.is_configured:
            name = {"ssm": "Systems Manager", "secretsmanager": "Secrets Manager"}[service]
            raise AwsError("ValidationError", f"{purpose} needs {name}; start localbus with --upstream URL.")
        try:
            arn = f"arn:aws:{service}:{caller.region}:{caller.account}:"
            status, answer = await self._client.json(target, arn, params)
        except (NoAnswerError, TimeoutError) as exc:
            raise AwsError("ValidationError", f"{purpose} cannot be read: {exc or 'the upstream timed out'}.") from exc
        if status != 200:
            message = str(answer.get("message") or answer.get("Message") or f"HTTP status {status}")
            raise AwsError("ValidationError", message)
        return answer


def _secret_parts(reference: str) -> tuple[str, str, str, str]:
    """The id, JSON key, staging label and version id. An ARN as the id has colons too."""
    secret, found, rest = reference.partition(":SecretString")
    if not found:
        secret, found, rest = reference.partition(":secret-string")
    key, stage, version = (*rest.removeprefix(":").split(":"), "", "", "")[:3]
    return secret, key, stage, version


def _references(value: Any, path: str) -> Iterator[tuple[str, re.Match[str]]]:
    """The dynamic references in a value, with the paths of the texts that hold them."""
    match value:
        case str():
            yield from ((path, found) for found in _REFERENCE.finditer(value))
        case dict():
            for key, item in value.items():
                yield from _references(item, f"{path}/{key}")
        case list():
            for item in value:
                yield from _references(item, path)


def _replaced(value: Any, found: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _REFERENCE.sub(lambda match: found.get(match[0], match[0]), value)
        case dict():
            return {key: _replaced(item, found) for key, item in value.items()}
        case list():
            return [_replaced(item, found) for item in value]
    return value
